"""The collector's own counters, read from its metrics page. Satisfies ``streams.ledger.accepted.Collectors``."""

from collections.abc import Sequence

import httpx
from prometheus_client.parser import text_string_to_metric_families

from infra.settings import Settings
from streams.ledger.accepted import Counters

ANSWER_S = 2.0


class CollectorCounters:
    def __init__(self, settings: Settings) -> None:
        self._url = settings.collector_url

    def counters(self) -> Sequence[Counters]:
        try:
            page = httpx.get(f"{self._url}/metrics", timeout=ANSWER_S).raise_for_status().text
        except httpx.HTTPError:
            return ()
        samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
        began = next((int(s.value * 1000) for s in samples if s.name == "process_start_time_seconds"), 0)
        accepted = {
            sample.labels["family"]: int(sample.value)
            for sample in samples
            if sample.name == "playhead_collector_events_total" and sample.labels["verdict"] == "accepted"
        }
        return (Counters(f"{self._url}@{began}", began, accepted),)
