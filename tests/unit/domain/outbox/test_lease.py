from domain.outbox.lease import Lease


def test_a_batch_may_begin_only_while_kafka_would_give_it_up_well_before_the_lease_ends() -> None:
    now = [100.0]
    lease = Lease(30, lambda: now[0])
    assert not lease.covers_a_batch
    asked = lease.ask()
    now[0] = 104
    lease.granted(asked)
    assert lease.delivery_seconds == 10
    now[0] = 115
    assert lease.covers_a_batch
    now[0] = 115.1
    assert not lease.covers_a_batch


def test_a_lost_lease_covers_nothing() -> None:
    lease = Lease(30, lambda: 0.0)
    lease.granted(lease.ask())
    assert lease.covers_a_batch
    lease.lost()
    assert not lease.covers_a_batch
