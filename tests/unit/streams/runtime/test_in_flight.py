"""Which offset may be committed, and when a partition's intake pauses."""

from faust.types import TP, ConsumerMessage

from streams.runtime.batch_transport import MAX_BATCHES, MAX_BYTES, InFlight


def message(offset: int, size: int = 100) -> ConsumerMessage:
    tp = TP("playhead.playback", 0)
    return ConsumerMessage(*tp, offset, 0.0, 0, None, None, None, None, 0, size, tp)


def in_flight(*messages: ConsumerMessage) -> InFlight:
    flight = InFlight()
    for one in messages:
        flight.add(one)
    return flight


def acknowledge(flight: InFlight, one: ConsumerMessage) -> None:
    one.acked = True
    flight.settle()


def test_nothing_is_committable_before_an_acknowledgement() -> None:
    assert in_flight(message(9)).committable is None


def test_an_acknowledged_batch_moves_the_position_behind_its_last_record() -> None:
    one = message(9)
    flight = in_flight(one)
    acknowledge(flight, one)
    assert flight.committable == 10


def test_a_batch_that_is_done_out_of_order_waits_for_the_ones_before_it() -> None:
    first, second = message(9), message(19)
    flight = in_flight(first, second)
    acknowledge(flight, second)
    assert flight.committable is None
    acknowledge(flight, first)
    assert flight.committable == 20


def test_a_batch_from_before_a_seek_moves_nothing_even_if_it_ends_at_the_same_offset() -> None:
    stale = message(9)
    flight = in_flight(message(9))
    acknowledge(flight, stale)
    assert flight.committable is None


def test_intake_pauses_at_so_many_unacknowledged_batches_and_goes_on_after_one() -> None:
    batches = [message(offset) for offset in range(MAX_BATCHES)]
    assert in_flight(*batches[:-1]).has_room
    flight = in_flight(*batches)
    assert not flight.has_room
    acknowledge(flight, batches[0])
    assert flight.has_room


def test_intake_pauses_at_so_many_unacknowledged_bytes() -> None:
    assert not in_flight(message(9, size=MAX_BYTES)).has_room
