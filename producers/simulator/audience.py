"""The audience: real people's taste with invented homes, devices and habits.

Members are the people behind a set of ratings: they watch what they rated, and their stars say how much they like it.
Households of 1-4 profiles (35, 35, 20, 10 %) share an account, a country and one television; each profile also has a
phone or another device. Members with more ratings watch more: 0.43 visits a day for 106 ratings (the mean of
MovieLens 100k), growing with the square root, between 0.1 and 2.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from producers.simulator.catalogue import Title
from producers.simulator.devices import Device, make_device
from producers.simulator.movielens import Rating
from schemas.events import DeviceType


class Taste(NamedTuple):
    title: Title
    stars: float


class Place(NamedTuple):
    country: str
    zone: str


@dataclass(frozen=True, slots=True)
class Member:
    profile_id: str
    account_id: str
    place: Place
    devices: tuple[Device, ...]
    """The most used first."""
    tastes: tuple[Taste, ...]
    visits_per_day: float


_PLACES = {
    Place("US", "America/New_York"): 22,
    Place("US", "America/Chicago"): 14,
    Place("US", "America/Los_Angeles"): 14,
    Place("GB", "Europe/London"): 10,
    Place("DE", "Europe/Berlin"): 9,
    Place("BR", "America/Sao_Paulo"): 8,
    Place("FR", "Europe/Paris"): 7,
    Place("IN", "Asia/Kolkata"): 6,
    Place("JP", "Asia/Tokyo"): 5,
    Place("AU", "Australia/Sydney"): 5,
}
_HOUSEHOLD_SIZES = {1: 35, 2: 35, 3: 20, 4: 10}
_OWN_DEVICES: dict[DeviceType, int] = {"phone": 45, "tablet": 15, "desktop": 25, "console": 8, "set_top_box": 7}


def build_audience(ratings: Iterable[Rating], titles: Iterable[Title], count: int, seed: int) -> list[Member]:
    """Up to ``count`` members in a seeded order. A larger audience contains the smaller one."""
    known = {title.title_id: title for title in titles}
    tastes: dict[str, list[Taste]] = defaultdict(list)
    for rating in ratings:
        if title := known.get(f"ml-{rating.item_id}"):
            tastes[rating.user_id].append(Taste(title, rating.stars))
    people = sorted(tastes, key=lambda user: (len(user), user))
    Random(f"{seed}/audience").shuffle(people)
    members: list[Member] = []
    while len(members) < min(count, len(people)):
        rng = Random(f"{seed}/household/{len(members)}")
        size = rng.choices(list(_HOUSEHOLD_SIZES), list(_HOUSEHOLD_SIZES.values()))[0]
        household = people[len(members) : len(members) + size]
        members += _household([(user, tuple(tastes[user])) for user in household], rng)
    return members[:count]


def _household(people: Sequence[tuple[str, tuple[Taste, ...]]], rng: Random) -> list[Member]:
    account = f"acc-{people[0][0]}"
    place = rng.choices(list(_PLACES), list(_PLACES.values()))[0]
    television = make_device(f"tv-{account}", "tv", rng) if rng.random() < 0.8 else None
    household = []
    for user, tastes in people:
        kind = rng.choices(list(_OWN_DEVICES), list(_OWN_DEVICES.values()))[0]
        own = make_device(f"{kind}-{user}", kind, rng)
        household.append(
            Member(
                profile_id=f"ml-{user}",
                account_id=account,
                place=place,
                devices=(television, own) if television else (own,),
                tastes=tastes,
                visits_per_day=min(2.0, max(0.1, 0.43 * (len(tastes) / 106) ** 0.5)),
            )
        )
    return household
