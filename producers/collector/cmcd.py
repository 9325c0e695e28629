"""``POST /v1/cmcd``: what hls.js, dash.js and shaka report by themselves, as Common Media Client Data version 2.

The players stay as they are. They set no header, so key and viewer are in the address. A 503 makes them hammer or lose
events, so a request waits here until Kafka has its events. The reply names what deviates from the standard.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from starlette.requests import Request

from domain.cmcd.line import Deviation, Line, Unusable, read
from domain.cmcd.plays import Play, Plays, Viewer, event_id, event_of, sent_at
from domain.metrics import CMCD_DEVIATIONS, CMCD_LINES, CMCD_MISSING, CMCD_OUT_OF_ORDER, COLLECTOR_EVENTS
from producers.collector import body
from producers.collector.byte_budget import NoRoom
from producers.collector.handler import EventsHandler, is_dry
from producers.collector.responses import Reply, RequestError, error_reply, unavailable
from producers.collector.sender import NOT_YOURS, Sender
from producers.ports import Message
from schemas import codec
from schemas.client_events import event_from_client
from schemas.errors import InvalidEvent
from schemas.events import family

PATIENCE_S = 20.0
"""For room and for Kafka together, and one delivery more. shaka gives a request up after 30 seconds, and with it the
events; so does the gateway."""
RETRY_S = 1.0
PIECE = 50
"""Lines that are read and stored together. Then other requests have their turn. A player sends fewer, unless it was
offline for long."""
MOST_REFUSED = 100
"""Lines whose refusal an answer explains."""
PLAYERS = ("hls.js", "dash.js", "shaka-player")
MOST_VERSIONS = 50
OTHER = "other"
OVER_FOR_PLAYERS = ("expired_token", "old_token", "revoked_token")
"""A player cannot renew its token. So it gets 410, as with a session that is over: else it would keep its
lines and send them again and again."""
_VERSION = re.compile(r"\d{1,3}(\.\d{1,3}){1,3}")
_UNSTORED = unavailable("not_stored", "Kafka did not confirm it in time. Send the same request again.")
_OVER = error_reply(410, "session_over", "This session is over. Report the next play under a new sid.")


@dataclass(frozen=True, slots=True)
class _Made:
    """The event of a line, ready to be published, as often as it takes."""

    play: Play
    number: int | None
    message: Message
    family: str


@dataclass(slots=True)
class _Body:
    """What has become of the lines of one body so far."""

    sender: Sender
    viewer: Viewer
    received_at: int
    accepted: Counter[str] = field(default_factory=Counter)
    """By family of the event."""
    unsettled: Counter[str] = field(default_factory=Counter)
    repeated: int = 0
    over: int = 0
    refused: int = 0
    refusals: list[dict[str, object]] = field(default_factory=list)
    """The first of them, explained."""
    deviations: Counter[Deviation] = field(default_factory=Counter)
    missing: int = 0
    """Numbers that a line passed over."""
    out_of_order: int = 0
    """Lines whose number had been passed over."""

    def refuse(self, line: int, code: Deviation, message: str) -> None:
        self.refused += 1
        self.deviations[code] += 1
        if len(self.refusals) < MOST_REFUSED:
            self.refusals.append({"line": line, "code": code, "message": message})

    def number(self, play: Play, line: Line) -> None:
        if line.number is not None:
            missing = play.numbers.add(line.number)
            self.missing += max(0, missing)
            self.out_of_order += missing < 0

    @property
    def content(self) -> dict[str, object]:
        return {
            "accepted": self.accepted.total(),
            "repeated": self.repeated,
            "refused": self.refusals,
            "deviations": {code: times for code, times in self.deviations.items() if times},
        }


class CmcdHandler:
    def __init__(self, events: EventsHandler, patience_s: float = PATIENCE_S) -> None:
        """``events``: its keys, memory and Kafka are used."""
        self._events = events
        self._patience_s = patience_s
        self._plays = Plays()
        self._versions: set[tuple[str, str]] = set()

    async def handle(self, request: Request) -> Reply:
        received_at = self._events.clock()
        until = asyncio.get_running_loop().time() + self._patience_s
        try:
            sender = self._events.authentication.sender(request)
            dry = is_dry(request.query_params)
            found = _Body(sender, _viewer(request.query_params, sender), received_at)
            body.refuse_announced(request.headers)
            with self._events.budget.room(self._patience_s) as room:
                sent = await body.read(request.stream(), room.grow)
                if body.is_packed(sent, request.headers):
                    await room.grow(body.MAX_BYTES)
                plain = body.inflated(sent, request.headers)
                room.shrink(len(sent) + len(plain))
                return await (self._explain(found, plain) if dry else self._store(found, plain, request, until))
        except RequestError as error:
            over = error.reply.status == 401 and error.reply.content["code"] in OVER_FOR_PLAYERS
            return Reply(410, error.reply.content) if over else error.reply
        except InvalidEvent as problem:
            return error_reply(400, problem.code, problem.reason)
        except NoRoom:
            return unavailable("busy", "Too many events are waiting for Kafka. Send the same request again.")

    async def _explain(self, found: _Body, plain: bytes) -> Reply:
        plays = Plays()
        async for piece in _pieces(plain):
            found.accepted.update(made.family for made in self._understand(found, piece, plays))
        return Reply(200, found.content)

    async def _store(self, found: _Body, plain: bytes, request: Request, until: float) -> Reply:
        """``until``: when to give up, by the loop's clock."""
        time = asyncio.get_running_loop().time
        try:
            async for piece in _pieces(plain):
                if found.unsettled or time() > until:
                    return _UNSTORED
                made = self._understand(found, piece, self._plays)
                self._settle(found, made, await self._publish([each.message for each in made], request, until))
        finally:
            self._count(found, self._label(request.query_params))
        if found.unsettled:
            return _UNSTORED
        return _OVER if found.over and not found.accepted else Reply(202, found.content)

    def _understand(self, found: _Body, piece: Sequence[tuple[int, str]], plays: Plays) -> list[_Made]:
        lines: list[tuple[int, str, Line]] = []
        for index, text in piece:
            try:
                lines.append((index, text, read(text)))
            except Unusable as problem:
                found.refuse(index, problem.code, str(problem))
        sent_at_ms = sent_at([line for _, _, line in lines], found.received_at)
        made = (self._event_of(found, line, sent_at_ms, plays) for line in lines)
        return [each for each in made if each]

    def _event_of(self, found: _Body, numbered: tuple[int, str, Line], sent_at_ms: int, plays: Plays) -> _Made | None:
        """None: it was counted as something else."""
        index, text, line = numbered
        if found.sender.kind == "session" and line.session.lower() != found.sender.playback_session_id:
            found.refuse(index, "refused", "sid is not the session of this token.")
            return None
        play = plays.of(line, found.viewer, found.received_at)
        if play.restarted(line):
            found.deviations["numbers_restarted"] += 1
            play.restart()
        if play.over(found.received_at):
            found.over += 1
            return None
        if line.number is not None and line.number in play.numbers:
            unsettled: _Made | None = play.unsettled.get(line.number)
            found.repeated += unsettled is None
            return unsettled
        found.deviations.update(line.deviations)
        found.number(play, line)
        raw, late = event_of(line, play, found.viewer, sent_at_ms)
        raw |= {"event_id": event_id(line, found.viewer, text), "account_id": found.sender.account_id}
        found.deviations["late"] += late
        try:
            event = event_from_client(raw, sent_at_ms, found.received_at)
        except InvalidEvent as problem:
            found.refuse(index, "refused", problem.reason)
            return None
        made = _Made(play, line.number, self._events.message(event, codec.encode(event)), family(event))
        if line.number is not None:
            play.unsettled[line.number] = made
        return made

    async def _publish(self, messages: list[Message], request: Request, until: float) -> set[int]:
        """Publishes until all are stored or it is time to give up. Returns the indices of those that are not."""
        left = [*range(len(messages))]
        loop = asyncio.get_running_loop()
        while left:
            deliveries = await self._events.deliver([messages[index] for index in left], request)
            left = [index for index, each in zip(left, deliveries, strict=True) if each != "acknowledged"]
            if loop.time() + RETRY_S > until:
                break
            if left:
                await asyncio.sleep(RETRY_S)
        return {*left}

    def _settle(self, found: _Body, made: list[_Made], unsettled: set[int]) -> None:
        for index, each in enumerate(made):
            if index in unsettled:
                found.unsettled[each.family] += 1
                found.missing += each.play.bound_unsettled()
            else:
                found.accepted[each.family] += 1
                if each.number is not None:
                    each.play.unsettled.pop(each.number, None)

    def _count(self, found: _Body, label: dict[str, str]) -> None:
        metrics = self._events.metrics
        verdicts = {
            "accepted": found.accepted.total(),
            "repeated": found.repeated,
            "refused": found.refused,
            "over": found.over,
            "unsettled": found.unsettled.total(),
        }
        for verdict, lines in verdicts.items():
            if lines:
                metrics.increment(CMCD_LINES, lines, verdict=verdict, **label)
        for code, times in found.deviations.items():
            if times:
                metrics.increment(CMCD_DEVIATIONS, times, code=code, **label)
        for counter, numbers in ((CMCD_MISSING, found.missing), (CMCD_OUT_OF_ORDER, found.out_of_order)):
            if numbers:
                metrics.increment(counter, numbers, **label)
        for verdict, families in (("accepted", found.accepted), ("unsettled", found.unsettled)):
            for name, events in families.items():
                metrics.increment(COLLECTOR_EVENTS, events, family=name, verdict=verdict)

    def _label(self, query: Mapping[str, str]) -> dict[str, str]:
        """Player and version for metrics, of a bounded set whatever a client says."""
        player, version = query.get("player", ""), query.get("player_version", "")
        pair = (player, version)
        if player not in PLAYERS:
            return {"player": OTHER, "version": OTHER}
        if not _VERSION.fullmatch(version) or (len(self._versions) >= MOST_VERSIONS and pair not in self._versions):
            return {"player": player, "version": OTHER}
        self._versions.add(pair)
        return {"player": player, "version": version}


def _viewer(query: Mapping[str, str], sender: Sender) -> Viewer:
    """Who watches, by the address. Raises RequestError where that is not for the sender to say."""
    own = next(iter(sender.profiles)) if sender.kind == "session" else ""
    given = {"profile_id": query.get("profile_id") or own, "device_id": query.get("device_id")}
    for name, value in given.items():
        if not value:
            message = f"{name} is missing: CMCD does not say who watches, so the address must: ?key=…&{name}=…"
            raise RequestError(error_reply(400, "missing", message, field=name))
    if sender.kind != "service" and given["profile_id"] not in sender.profiles:
        message = "profile_id is not one that this key or token sends for."
        raise RequestError(error_reply(403, NOT_YOURS, message, field="profile_id"))
    if query.get("playback", "true") not in ("true", "false"):
        raise RequestError(error_reply(400, "bad_parameter", "playback must be true or false.", field="playback"))
    player = query.get("player", "cmcd")[:32]
    return Viewer(
        profile_id=given["profile_id"] or "",
        device_id=query["device_id"],
        device_type=query.get("device_type", "unknown"),
        app_name=query.get("app_name", player),
        app_version=query.get("app_version", query.get("player_version", "0")),
        country=query.get("country", "ZZ"),
        title_class=query.get("title_class", "unknown"),
        player=player,
        target=query.get("target", ""),
        sums=query.get("playback", "true") == "true",
    )


async def _pieces(plain: bytes) -> AsyncIterator[list[tuple[int, str]]]:
    """The lines that are not empty, with their numbers in the body, and a turn for other requests in between."""
    lines = plain.split(b"\n")
    for first in range(0, len(lines), PIECE):
        if first:
            await asyncio.sleep(0)
        texts = (
            (first + index, raw.decode("latin-1").strip("\r "))
            for index, raw in enumerate(lines[first : first + PIECE])
        )
        if piece := [(index, text) for index, text in texts if text]:
            yield piece
