"""``POST /v1/cmcd``: what hls.js, dash.js and shaka report by themselves, as Common Media Client Data version 2.

The players stay as they are. They set no header, so key and viewer are in the address. A 503 makes them hammer or lose
events, so a request waits here until Kafka has its events. The reply names what deviates from the standard.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.requests import Request

from domain.cmcd.line import Deviation, Line, Unusable, read
from domain.cmcd.plays import Plays, Viewer, event_id, event_of, sent_at
from domain.metrics import CMCD_DEVIATIONS, CMCD_LINES, CMCD_LOST, COLLECTOR_EVENTS
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
PLAYERS = ("hls.js", "dash.js", "shaka-player")
MOST_VERSIONS = 50
OTHER = "other"
_VERSION = re.compile(r"\d{1,3}(\.\d{1,3}){1,3}")


@dataclass(frozen=True, slots=True)
class _Made:
    """The event of a line, ready to be published, as often as it takes."""

    message: Message
    family: str


@dataclass(slots=True)
class _Request:
    """What becomes of the lines of one body."""

    label: dict[str, str]
    sender: Sender
    made: list[tuple[int, Line, _Made]] = field(default_factory=list)
    """With the number of its line in the body."""
    refused: list[dict[str, object]] = field(default_factory=list)
    deviations: Counter[Deviation] = field(default_factory=Counter)
    repeated: int = 0
    over: int = 0
    lost: int = 0


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
            viewer = _viewer(request.query_params, sender)
            body.refuse_announced(request.headers)
            with self._events.budget.room(self._patience_s) as room:
                sent = await body.read(request.stream(), room.grow)
                if body.is_packed(sent, request.headers):
                    await room.grow(body.MAX_BYTES)
                plain = body.inflated(sent, request.headers)
                room.shrink(len(sent) + len(plain))
                return await self._process(plain, (sender, viewer), request, received_at, None if dry else until)
        except RequestError as error:
            return error.reply
        except InvalidEvent as problem:
            return error_reply(400, problem.code, problem.reason)
        except NoRoom:
            return unavailable("busy", "Too many events are waiting for Kafka. Send the same request again.")

    async def _process(
        self,
        sent: bytes,
        who: tuple[Sender, Viewer],
        request: Request,
        received_at: int,
        until: float | None,
    ) -> Reply:
        """``until``: when to give up, by the loop's clock; None: nothing is stored."""
        sender, viewer = who
        found = _Request(self._label(request.query_params), sender)
        self._understand(found, sent, viewer, received_at, Plays() if until is None else self._plays)
        if until is None:
            return Reply(200, _content(found, len(found.made)))
        unsettled = await self._publish([made.message for _, _, made in found.made], request, until)
        stored = [each for index, each in enumerate(found.made) if index not in unsettled]
        for index, (_, line, _) in enumerate(found.made):
            play, _ = self._plays.of(line, viewer)
            if index in unsettled:
                play.bound_unsettled()
            elif line.number is not None:
                play.unsettled.pop(line.number, None)
        self._count(found, [made.family for _, _, made in stored], len(unsettled))
        if unsettled:
            return unavailable("not_stored", "Kafka did not confirm it in time. Send the same request again.")
        if found.over and not found.made:
            return error_reply(410, "session_over", "This session is over. Report the next play under a new sid.")
        return Reply(202, _content(found, len(stored)))

    def _understand(self, found: _Request, sent: bytes, viewer: Viewer, received_at: int, plays: Plays) -> None:
        texts: list[tuple[int, str, Line]] = []
        for index, raw in enumerate(sent.split(b"\n")):
            if text := raw.decode("latin-1").strip("\r "):
                try:
                    texts.append((index, text, read(text)))
                except Unusable as problem:
                    _refuse(found, index, problem.code, str(problem))
        sent_at_ms = sent_at([line for _, _, line in texts], received_at)
        for index, text, line in texts:
            self._understand_line(found, (index, text, line), viewer, (sent_at_ms, received_at), plays)

    def _understand_line(
        self, found: _Request, at: tuple[int, str, Line], viewer: Viewer, times: tuple[int, int], plays: Plays
    ) -> None:
        index, text, line = at
        if found.sender.kind == "session" and line.session.lower() != found.sender.playback_session_id:
            _refuse(found, index, "refused", "sid is not the session of this token.")
            return
        play, lost = plays.of(line, viewer)
        found.lost += lost
        if play.restarted(line):
            found.deviations["numbers_restarted"] += 1
            play.restart()
        if play.over:
            found.over += 1
            return
        if line.number is not None and line.number in play.numbers:
            if (unsettled := play.unsettled.get(line.number)) is None:
                found.repeated += 1
            else:
                found.made.append((index, line, unsettled))
            return
        found.deviations.update(line.deviations)
        if line.number is not None:
            before = play.numbers.lost
            play.numbers.add(line.number)
            found.lost += play.numbers.lost - before
        raw, late = event_of(line, play, viewer, times[0])
        raw |= {"event_id": event_id(line, viewer, text), "account_id": found.sender.account_id}
        found.deviations["late"] += late
        try:
            event = event_from_client(raw, *times)
        except InvalidEvent as problem:
            _refuse(found, index, "refused", problem.reason)
            return
        made = _Made(self._events.message(event, codec.encode(event)), family(event))
        if line.number is not None:
            play.unsettled[line.number] = made
        found.made.append((index, line, made))

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

    def _count(self, found: _Request, families: list[str], unsettled: int) -> None:
        metrics, label = self._events.metrics, found.label
        verdicts = {
            "accepted": len(families),
            "repeated": found.repeated,
            "refused": len(found.refused),
            "over": found.over,
            "unsettled": unsettled,
        }
        for verdict, lines in verdicts.items():
            if lines:
                metrics.increment(CMCD_LINES, lines, verdict=verdict, **label)
        for code, times in found.deviations.items():
            if times:
                metrics.increment(CMCD_DEVIATIONS, times, code=code, **label)
        if found.lost:
            metrics.increment(CMCD_LOST, found.lost, **label)
        for name, events in Counter(families).items():
            metrics.increment(COLLECTOR_EVENTS, events, family=name, verdict="accepted")

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


def _refuse(found: _Request, line: int, code: Deviation, message: str) -> None:
    found.deviations[code] += 1
    if len(found.refused) < 100:
        found.refused.append({"line": line, "code": code, "message": message})


def _content(found: _Request, accepted: int) -> dict[str, object]:
    return {
        "accepted": accepted,
        "repeated": found.repeated,
        "refused": found.refused,
        "deviations": {code: times for code, times in found.deviations.items() if times},
    }
