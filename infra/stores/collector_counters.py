"""The collector's counters, read from its metrics page. Satisfies ``domain.ledger.collector_counts.Collectors``."""

from collections.abc import Sequence

import httpx
from prometheus_client.parser import text_string_to_metric_families

from domain.ledger.collector_counts import Counters
from infra.runtime.settings import Settings

ANSWER_S = 2.0
WANTED = ("process_start_time_seconds", "playhead_collector_events_total")


class CollectorCounters:
    """Satisfies ``domain.ledger.collector_counts.Collectors``."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.collector_url

    def counters(self) -> Sequence[Counters]:
        try:
            page = httpx.get(f"{self._url}/metrics", timeout=ANSWER_S).raise_for_status().text
        except httpx.HTTPError:
            return ()
        lines = [line for line in page.splitlines(keepends=True) if line.startswith(WANTED)]  # the parser is slow
        samples = [each for family in text_string_to_metric_families("".join(lines)) for each in family.samples]
        began = next((int(s.value * 1000) for s in samples if s.name == "process_start_time_seconds"), 0)
        accepted = {s.labels["family"]: int(s.value) for s in samples if s.labels.get("verdict") == "accepted"}
        return (Counters(f"{self._url}@{began}", began, accepted),)
