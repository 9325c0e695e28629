import asyncio

import pytest

from producers.collector.byte_budget import ByteBudget


def budget(limit: int) -> tuple[ByteBudget, list[int]]:
    seen: list[int] = []
    return ByteBudget(limit, seen.append), seen


async def hold(budget: ByteBudget, size: int, until: asyncio.Event, patience: float = 60) -> None:
    async with budget.reserve(size, patience):
        await until.wait()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_fits_goes_in_at_once_and_is_given_back() -> None:
    space, seen = budget(10)
    async with space.reserve(4, 0), space.reserve(6, 0):
        assert seen == [4, 10]
    assert seen == [4, 10, 4, 0]


async def test_who_finds_it_full_waits_in_line() -> None:
    space, seen = budget(10)
    leave = [asyncio.Event() for _ in range(3)]
    holders = [asyncio.create_task(hold(space, size, leave[i])) for i, size in enumerate((8, 5, 2))]
    await settle()
    assert seen == [8]  # the 2 would fit, but the 5 came before

    leave[0].set()
    await settle()
    assert seen[-1] == 7

    leave[1].set()
    leave[2].set()
    await asyncio.gather(*holders)
    assert seen[-1] == 0


async def test_who_has_waited_too_long_leaves_and_the_next_goes_in() -> None:
    space, seen = budget(10)
    leave = asyncio.Event()
    first = asyncio.create_task(hold(space, 8, leave))
    await settle()
    impatient = asyncio.create_task(hold(space, 5, leave, patience=0.01))
    small = asyncio.create_task(hold(space, 2, leave))

    with pytest.raises(TimeoutError):
        await impatient
    await settle()
    assert seen[-1] == 10

    leave.set()
    await asyncio.gather(first, small)
    assert seen[-1] == 0


async def test_a_cancelled_waiter_takes_no_room() -> None:
    space, seen = budget(10)
    leave = asyncio.Event()
    first = asyncio.create_task(hold(space, 8, leave))
    await settle()
    waiter = asyncio.create_task(hold(space, 5, leave))
    await settle()
    leave.set()
    await first  # gives the budget to the waiter in this very moment
    waiter.cancel()
    await asyncio.gather(waiter, return_exceptions=True)

    assert seen[-1] == 0


async def test_more_than_all_of_it_takes_all_of_it() -> None:
    space, seen = budget(10)
    async with space.reserve(99, 0):
        assert seen == [10]
