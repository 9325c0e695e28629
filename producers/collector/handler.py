"""``POST /v1/events``: authenticate, read while there is room, validate, publish, reply.

The reply is sent after Kafka has acknowledged every event, and a dead letter for every rejected one. A request waits at
most ``wait_seconds``: a tenth of it for room in memory, the rest for Kafka.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter

from starlette.requests import Request

from domain.answers import request_id
from domain.metrics import COLLECTOR_DELIVERY, COLLECTOR_EVENTS, COLLECTOR_WARNINGS, DEAD_LETTERS_MADE, Metrics
from producers.collector import body, validation, verdicts
from producers.collector.authentication import Authentication
from producers.collector.byte_budget import ByteBudget, NoRoom, Room
from producers.collector.responses import Reply, RequestError, error_reply, unavailable
from producers.collector.samples import Samples
from producers.collector.sender import NOT_YOURS, Sender
from producers.collector.validation import ValidatedRequest
from producers.ports import Clock, Delivery, EventLog, Headers, Message
from schemas import codec, dead_letter
from schemas.errors import InvalidEvent
from schemas.events import DeadLetter, Event, family, key
from schemas.framing import frame
from schemas.topics import DEAD_LETTERS, EVENT_TOPICS

BUDGET_SHARE = 0.1
"""Share of the wait that each part of a body may spend waiting for room in memory."""
DELIVERY_SHARE = 0.75
"""Share of the wait after which Kafka's client gives up. It is less than 1, so that few deliveries stay unknown."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request, without its body."""

    request: Request
    sender: Sender
    received_at: int
    dry: bool


@dataclass(frozen=True, slots=True)
class EventsHandler:
    log: EventLog
    budget: ByteBudget
    authentication: Authentication
    schema_ids: Mapping[str, int]
    """The registry's id of the newest schema, by record name; empty until the registry has answered."""
    clock: Clock
    metrics: Metrics
    wait_seconds: float
    samples: Samples = field(default_factory=Samples)
    """Of events that were not their sender's."""

    async def handle(self, request: Request) -> Reply:
        received_at = self.clock()
        try:
            sender = self.authentication.sender(request)
            dry = is_dry(request.query_params)
            body.refuse_announced(request.headers)
            with self.budget.room(self.wait_seconds * BUDGET_SHARE) as room:
                sent = await body.read(request.stream(), room.grow)
                if body.is_packed(sent, request.headers):
                    await room.grow(body.MAX_BYTES)
                return await self._process(sent, _Asked(request, sender, received_at, dry), room)
        except RequestError as error:
            return error.reply
        except NoRoom:
            return unavailable("busy", "Too many events are waiting for Kafka. Send the same request again.")

    async def _process(self, sent: bytes, asked: _Asked, room: Room) -> Reply:
        try:
            plain = body.json_text(sent, asked.request.headers)
            room.shrink(len(sent) + len(plain))
            validated = await validation.validate(plain, asked.received_at, asked.sender)
        except InvalidEvent as problem:
            return await self._refuse(problem, sent, asked)
        if asked.dry:
            stored: dict[int, Delivery] = dict.fromkeys([*validated.accepted, *validated.rejected], "acknowledged")
            reply = verdicts.reply(validated, stored, asked.received_at)
            return Reply(200, reply.content) if reply.status == 202 else reply
        deliveries = await self._publish(validated, plain, asked)
        self._count(validated, deliveries, asked.sender)
        return verdicts.reply(validated, deliveries, asked.received_at)

    async def _publish(self, validated: ValidatedRequest, plain: bytes, asked: _Asked) -> dict[int, Delivery]:
        letters = validation.dead_letters(validated, plain, asked.sender, asked.received_at)
        messages = [self.message(each.event, each.datum) for each in validated.accepted.values()]
        messages += [self._dead_letter(each) for each in letters.values()]
        deliveries = await self.deliver(messages, asked.request)
        not_kept: dict[int, Delivery] = dict.fromkeys(validated.rejected, "acknowledged")
        return not_kept | dict(zip([*validated.accepted, *letters], deliveries, strict=True))

    async def deliver(self, messages: Sequence[Message], request: Request) -> list[Delivery]:
        started = perf_counter()
        deliveries = await self.log.publish(messages, headers_of(request))
        self.metrics.observe(COLLECTOR_DELIVERY, perf_counter() - started)
        return deliveries

    async def _refuse(self, problem: InvalidEvent, sent: bytes, asked: _Asked) -> Reply:
        """A body that cannot be read becomes one dead letter."""
        now = asked.received_at
        if not asked.dry:
            origin = validation.origin(asked.sender)
            message = self._dead_letter(dead_letter.of_refused(problem, sent, None, now, origin=origin))
            [delivery] = await self.log.publish([message], headers_of(asked.request))
            if delivery != "acknowledged":
                return unavailable("not_stored", "Kafka did not confirm it in time. Send the same request again.")
            self.metrics.increment(DEAD_LETTERS_MADE, step="collector", topic="unknown", code=problem.code)
        return verdicts.refused(problem, now)

    def _count(self, validated: ValidatedRequest, deliveries: Mapping[int, Delivery], sender: Sender) -> None:
        for index, warning in validated.warnings.items():
            if deliveries[index] == "acknowledged":
                name = family(validated.accepted[index].event)
                self.metrics.increment(COLLECTOR_WARNINGS, family=name, code=warning.code)
        for (name, verdict), events in verdicts.count(validated, deliveries).items():
            self.metrics.increment(COLLECTOR_EVENTS, events, family=name, verdict=verdict)
        for index, each in validated.rejected.items():
            if each.error.code == NOT_YOURS:
                self.samples.note(sender, each)
            elif deliveries[index] == "acknowledged":
                topic = validation.topic_of(each.family) or "unknown"
                self.metrics.increment(DEAD_LETTERS_MADE, step="collector", topic=topic, code=each.error.code)

    def message(self, event: Event, datum: bytes) -> Message:
        name = family(event)
        return Message(EVENT_TOPICS[name].name, key(event).encode(), frame(self.schema_ids[name], datum))

    def _dead_letter(self, refused: DeadLetter) -> Message:
        datum = frame(self.schema_ids["dead_letter"], codec.encode(refused))
        return Message(DEAD_LETTERS.name, refused.dead_letter_id.encode(), datum)


def headers_of(request: Request) -> Headers:
    """Of the records that a request becomes."""
    return [("request_id", request_id(request.scope).encode())]


def is_dry(query: Mapping[str, str]) -> bool:
    value = query.get("dry_run", "false")
    if value not in ("true", "false"):
        raise RequestError(
            error_reply(400, "bad_parameter", f"dry_run is {value!r}: it must be true or false.", field="dry_run")
        )
    return value == "true"
