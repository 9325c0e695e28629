"""Uptime, memory and CPU of our processes, read from each one's ``/metrics``: needs no Prometheus."""

import asyncio
from dataclasses import dataclass, field

import httpx
from prometheus_client.parser import text_string_to_metric_families

from services.ops.document import ProcessHealth

WAITS = "playhead_outbox_oldest_seconds"
WANTED = ("process_start_time_seconds", "process_resident_memory_bytes", "process_cpu_seconds_total", WAITS)


@dataclass(frozen=True, slots=True)
class Target:
    name: str
    index: int
    url: str
    """Its ``/metrics``."""
    does: str = ""


@dataclass(slots=True)
class ProcessMonitor:
    client: httpx.AsyncClient
    targets: tuple[Target, ...]
    _cpu: dict[Target, tuple[int, float]] = field(default_factory=dict)

    async def poll(self, at: int) -> list[ProcessHealth]:
        return list(await asyncio.gather(*(self._one(target, at) for target in self.targets)))

    async def _one(self, target: Target, at: int) -> ProcessHealth:
        try:
            answer = await self.client.get(target.url)
            answer.raise_for_status()
        except httpx.HTTPError:
            return ProcessHealth(target.name, target.index, target.does, up=False)
        numbers = read_numbers(answer.text)
        started = numbers.get("process_start_time_seconds")
        return ProcessHealth(
            target.name,
            target.index,
            target.does,
            up=True,
            uptime_seconds=None if started is None else max(0.0, at / 1000 - started),
            memory_bytes=numbers.get("process_resident_memory_bytes"),
            cpu_share=self._cpu_share(target, at, numbers.get("process_cpu_seconds_total")),
            unpublished_seconds=numbers.get(WAITS),
        )

    def _cpu_share(self, target: Target, at: int, seconds: float | None) -> float | None:
        """None at the first poll, and after a restart."""
        before = self._cpu.get(target)
        if seconds is None:
            return None
        self._cpu[target] = (at, seconds)
        if before is None or before[1] > seconds or before[0] >= at:
            return None
        return (seconds - before[1]) / ((at - before[0]) / 1000)


def read_numbers(exposition: str) -> dict[str, float]:
    """The values of ``WANTED``, from Prometheus' text format; of several, the highest."""
    # The parser is the slowest part: give it these few lines out of thousands.
    lines = [line for line in exposition.splitlines(keepends=True) if line.startswith(WANTED)]
    families = text_string_to_metric_families("".join(lines))
    numbers: dict[str, float] = {}
    for sample in (sample for family in families for sample in family.samples):
        numbers[sample.name] = max(sample.value, numbers.get(sample.name, sample.value))
    return numbers
