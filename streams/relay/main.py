"""The relay as a process: settings -> outboxes, Kafka -> run."""

import asyncio
import signal
import time
from uuid import uuid4

from domain.clock import system_clock
from domain.outbox.lease import Lease
from domain.processes import OWNERS
from infra.engines.kafka.publisher import DatumPublisher
from infra.engines.mariadb import connect
from infra.engines.registry import Registry
from infra.runtime.startup import exit_with_message, log_error
from infra.stores.outbox_mariadb import MariaOutbox
from streams.relay.relay import Late, Relay
from streams.wiring import WorkerContext, start_worker


async def publish(context: WorkerContext) -> None:
    """Until SIGTERM or SIGINT. Raises Late, in an ExceptionGroup."""
    settings, stop, holder = context.settings, asyncio.Event(), str(uuid4())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    databases = {owner: connect(settings, owner) for owner in OWNERS}
    try:
        async with asyncio.TaskGroup() as tasks:
            for owner, database in databases.items():
                lease = Lease(settings.relay_lease_seconds, time.monotonic)
                outbox = MariaOutbox(database, holder, lease.seconds)
                log = DatumPublisher(settings, Registry(settings), lease.delivery_seconds)
                relay = Relay(owner, outbox, log, lease, context.metrics, system_clock)
                tasks.create_task(relay.run(stop))
                tasks.create_task(relay.report(stop))
    finally:
        for database in databases.values():
            await database.close()


if __name__ == "__main__":
    with exit_with_message(log_error, Late):
        asyncio.run(publish(start_worker("relay", 0)))
