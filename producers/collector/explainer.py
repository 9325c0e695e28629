"""``playhead collector --dry-run``: instead of Kafka, an explanation of each event for the people who write a client.

The collector judges one event. The explainer also compares it with what came before, because a client that is wrong
about its sessions is wrong in every event and refused for none.
"""

import bisect
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import msgspec

from domain.cmcd.line import LINE_REFUSED
from producers.collector.responses import Reply
from producers.collector.sender import NOT_YOURS
from producers.ports import Delivery, Headers, Message
from schemas import codec
from schemas.client_events import STAMPED
from schemas.events import DeadLetter, Event, Playback, family
from schemas.framing import unframe
from schemas.topics import DEAD_LETTERS, EVENT_TOPICS

TOTALS = ("watched_ms", "paused_ms", "rebuffer_count", "rebuffer_ms", "seek_count")
"""Fields of a playback event that never fall while ``seq`` rises."""
_RECORDS = {topic.name: name for name, topic in EVENT_TOPICS.items()} | {DEAD_LETTERS.name: "dead_letter"}


@dataclass(slots=True)
class Explainer:
    """An ``EventLog`` in memory. It keeps every event, so it is for a test's clients, not for a service's."""

    say: Callable[[str], None]
    """Prints one line."""
    counts: Counter[str] = field(default_factory=Counter)
    """Events by verdict: accepted, repeated, refused; and problems, which no single event shows."""
    _events: dict[str, Event] = field(default_factory=dict)
    _sessions: dict[str, list[Playback]] = field(default_factory=dict)
    """By ``seq``."""

    async def publish(self, messages: Sequence[Message], headers: Headers = ()) -> list[Delivery]:  # noqa: ARG002
        for message in messages:
            _, datum = unframe(message.value)
            record = codec.decode(_RECORDS[message.topic], datum)
            if isinstance(record, DeadLetter):
                self._refuse(record.reason, record.error_class)
            elif isinstance(record, Event):
                self._accepted(record)
        return ["acknowledged"] * len(messages)

    async def ready(self) -> bool:
        return True

    def replied(self, reply: Reply) -> None:
        """Explains what was not published: lines of CMCD, events that are not the sender's, and requests that were
        refused before they were read."""
        content = reply.content
        for event in content.get("rejected", ()):
            if event["code"] == NOT_YOURS:
                self._refuse(event["message"], NOT_YOURS)
        for line in content.get("refused", ()):
            self._refuse(f"line {line['line']}: {line['message']}", line["code"])
        for code, times in content.get("deviations", {}).items():
            if code not in LINE_REFUSED:
                self.say(f"deviation {code}, {times} of the lines")
        if repeated := content.get("repeated", 0):
            self.counts["repeated"] += repeated
            self.say(f"repeated  {repeated} of the lines")
        if reply.status >= 400 and "server_time" not in content:  # else its dead letters were explained
            self._refuse(f"a request: {content['message']}", content["code"])

    def summary(self) -> Iterator[str]:
        """What came, and each sequence number that did not: only the end shows that it will not come any more."""
        for session, events in self._sessions.items():
            numbers = [-1, *(event.seq for event in events)]
            if missing := [_span(before + 1, now - 1) for before, now in pairwise(numbers) if now > before + 1]:
                self._problem(f"session {session}: seq {', '.join(missing)} never came")
        names = ("accepted", "repeated", "refused", "problems")
        yield ", ".join(f"{self.counts[name]} {name}" for name in names)

    @property
    def satisfied(self) -> bool:
        return not self.counts["refused"] and not self.counts["problems"]

    def _refuse(self, reason: str, code: str) -> None:
        self.counts["refused"] += 1
        self.say(f"refused   {reason}  [{code}]")

    def _accepted(self, event: Event) -> None:
        known = self._events.setdefault(event.event_id, event)
        if known is not event:
            if _as_sent(known) != _as_sent(event):
                self._problem(f"event {event.event_id} came before with other content; give each event a new id")
                return
            self.counts["repeated"] += 1
            self.say(f"repeated  {_line(event)}")
            return
        self.counts["accepted"] += 1
        self.say(f"accepted  {_line(event)}")
        if isinstance(event, Playback):
            self._compare(event)

    def _compare(self, event: Playback) -> None:
        session = self._sessions.setdefault(event.playback_session_id, [])
        place = bisect.bisect_left(session, event.seq, key=lambda other: other.seq)
        if place < len(session) and session[place].seq == event.seq:
            self._problem(f"seq {event.seq} of session {event.playback_session_id} has another event, too")
            return
        session.insert(place, event)
        for earlier, later in pairwise(session[max(place - 1, 0) : place + 2]):
            for problem in _contradictions(earlier, later):
                self._problem(problem)

    def _problem(self, problem: str) -> None:
        self.counts["problems"] += 1
        self.say(f"problem   {problem}")


def _contradictions(earlier: Playback, later: Playback) -> Iterator[str]:
    """What two neighbours of a session cannot both say."""
    place = f"session {later.playback_session_id}, seq {later.seq}"
    for name in ("session_started_at", "profile_id", "title_id"):
        before, now = getattr(earlier, name), getattr(later, name)
        if before != now:
            yield f"{place}: {name} is {now!r} and was {before!r}; it stays the same in all events of a session"
    for name in TOTALS:
        before, now = getattr(earlier, name), getattr(later, name)
        if now < before:
            yield f"{place}: {name} fell from {before} to {now}; send totals since play was pressed"


def _as_sent(event: Event) -> dict[str, object]:
    """Without what the collector adds, which differs from request to request."""
    return {name: value for name, value in msgspec.structs.asdict(event).items() if name not in STAMPED}


def _line(event: Event) -> str:
    if isinstance(event, Playback):
        what = f"{event.event_type}, {event.player_state} at {event.playhead_ms} ms, watched {event.watched_ms} ms"
        return f"playback  {event.title_id}  seq {event.seq}  {what}"
    return f"{family(event)}  {event.event_id}"


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first} to {last}"
