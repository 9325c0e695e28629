"""What Prometheus would have stored of some workers: scraped again and again, of each series the most that any says."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from prometheus_client.parser import text_string_to_metric_families

from infra.local.loopback import PLAIN

Series = tuple[str, frozenset[tuple[str, str]]]
COUNTED = ("playhead_quality", "playhead_client_events")


def scraped(port: int) -> dict[Series, float]:
    """Every series of one worker; nothing while it doesn't answer."""
    try:
        text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=5, verify=PLAIN).text
    except httpx.TransportError:
        return {}
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


class Scrapes:
    """Counters of quality of experience, which are by partition."""

    def __init__(self, ports: list[int]) -> None:
        self._ports = ports
        self.newest: dict[Series, float] = {}
        self.falls: list[str] = []

    def once(self) -> None:
        found: dict[Series, float] = {}
        for port in self._ports:
            for series, value in scraped(port).items():
                name, labels = series
                if "partition" in dict(labels) and name.startswith(COUNTED) and name.endswith(("_total", "_bucket")):
                    found[series] = max(value, found.get(series, value))
        for series, value in found.items():
            if value < self.newest.get(series, value):
                self.falls.append(f"{series}: {self.newest[series]} -> {value}")
        self.newest |= found

    def total(self, name: str, **labels: str) -> float:
        wanted = set(labels.items())
        return sum(value for (each, found), value in self.newest.items() if each == name and wanted <= found)


@contextmanager
def scraping(ports: list[int]) -> Iterator[Scrapes]:
    """In a separate thread, without a pause."""
    scrapes, over = Scrapes(ports), threading.Event()

    def scrape() -> None:
        while not over.wait(0.05):
            scrapes.once()

    thread = threading.Thread(target=scrape)
    thread.start()
    try:
        yield scrapes
    finally:
        over.set()
        thread.join()
    scrapes.once()
