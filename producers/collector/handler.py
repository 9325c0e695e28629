"""`POST /v1/events`: authenticate, wait for room, read, judge, publish, answer.

Everything is answered only after Kafka acknowledged it: events, and dead letters of what is refused. A request
gives Kafka ``wait_seconds`` in all: a tenth of it to find room, the rest to be confirmed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter

from starlette.requests import Request

from producers.collector import body, verdicts
from producers.collector import validation as intake
from producers.collector.api_keys import Keys
from producers.collector.byte_budget import Room
from producers.collector.responses import Answer, Refusal, error, unavailable
from producers.collector.validation import Accepted, Judged
from producers.ports import Clock, CollectorMetrics, Delivery, EventLog, Message
from schemas import codec, dead_letter
from schemas.errors import InvalidEvent
from schemas.events import DeadLetter, family, key
from schemas.framing import frame
from schemas.topics import DEAD_LETTERS, EVENT_TOPICS

ROOM_SHARE = 0.1
"""Share of the wait that a request may spend until there is room for it."""
DELIVERY_SHARE = 0.75
"""Share of the wait after which Kafka's client gives a message up: before the request does, so few stay unknown."""
_UNAUTHORIZED = Answer(
    401,
    {"code": "unauthorized", "message": "Send a valid key: Authorization: Bearer <key>, or ?key=<key>."},
    {"WWW-Authenticate": "Bearer"},
)


@dataclass(frozen=True, slots=True)
class Intake:
    log: EventLog
    room: Room
    keys: Keys
    schema_ids: Mapping[str, int]
    """The registry's id of the newest schema, by record name."""
    clock: Clock
    metrics: CollectorMetrics
    wait_seconds: float

    async def handle(self, request: Request) -> Answer:
        received_at = self.clock()
        if not self.keys.admit(request.headers, request.query_params):
            return _UNAUTHORIZED
        try:
            dry = _is_dry(request.query_params)
            size = body.expected_size(request.headers)
            async with self.room.take(size, self.wait_seconds * ROOM_SHARE):
                sent = await body.read(request.stream())
                return await self._take(sent, request.headers, received_at, dry)
        except Refusal as refusal:
            return refusal.answer
        except TimeoutError:
            return unavailable("busy", "Too many events are waiting for Kafka: send the same request again.")

    async def _take(self, sent: bytes, headers: Mapping[str, str], received_at: int, dry: bool) -> Answer:
        try:
            plain = body.inflate(sent, headers)
            judged = intake.judge(plain, received_at)
        except InvalidEvent as problem:
            return await self._refuse(problem, sent, received_at, dry)
        if dry:
            stored: dict[int, Delivery] = dict.fromkeys([*judged.accepted, *judged.rejected], "acknowledged")
            answer = verdicts.answer(judged, stored, received_at)
            return Answer(200, answer.content) if answer.status == 202 else answer
        fates = await self._publish(judged, plain, received_at)
        self._count(judged, fates)
        return verdicts.answer(judged, fates, received_at)

    async def _publish(self, judged: Judged, plain: bytes, now: int) -> dict[int, Delivery]:
        messages = [self._message(each) for each in judged.accepted.values()]
        messages += [self._letter(letter) for letter in intake.dead_letters(judged, plain, now)]
        started = perf_counter()
        deliveries = await self.log.publish(messages)
        self.metrics.delivered(perf_counter() - started)
        return dict(zip([*judged.accepted, *judged.rejected], deliveries, strict=True))

    async def _refuse(self, problem: InvalidEvent, sent: bytes, now: int, dry: bool) -> Answer:
        """A whole body that can't be read becomes one dead letter."""
        if not dry:
            [fate] = await self.log.publish([self._letter(dead_letter.of_refused(problem, sent, None, now))])
            if fate != "acknowledged":
                return unavailable("not_stored", "Kafka did not confirm it in time: send the same request again.")
            self.metrics.dead_letter(None, problem.code)
        return verdicts.refused(problem, now)

    def _count(self, judged: Judged, fates: Mapping[int, Delivery]) -> None:
        for (name, verdict), events in verdicts.count(judged, fates).items():
            self.metrics.judged(name, verdict, events)
        for index, each in judged.rejected.items():
            if fates[index] == "acknowledged":
                self.metrics.dead_letter(intake.topic_of(each.family), each.error.code)

    def _message(self, accepted: Accepted) -> Message:
        name = family(accepted.event)
        value = frame(self.schema_ids[name], accepted.datum)
        return Message(EVENT_TOPICS[name].name, key(accepted.event).encode(), value)

    def _letter(self, letter: DeadLetter) -> Message:
        datum = frame(self.schema_ids["dead_letter"], codec.encode(letter))
        return Message(DEAD_LETTERS.name, letter.dead_letter_id.encode(), datum)


def _is_dry(query: Mapping[str, str]) -> bool:
    value = query.get("dry_run", "false")
    if value not in ("true", "false"):
        raise Refusal(error(400, "bad_parameter", f"dry_run is {value!r}: it must be true or false.", field="dry_run"))
    return value == "true"
