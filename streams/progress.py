"""What every stream worker reports about its progress through Kafka's partitions."""

from collections.abc import Callable, Mapping
from functools import partial

from domain.metrics import BATCH_RECORDS, CONSUMED, LAG, LAST_PROCESSED, PROCESSING_DELAY, RETRIES, Metrics


def report_consumed(metrics: Metrics, topic: str, records: int) -> None:
    metrics.increment(CONSUMED, records, topic=topic)
    metrics.observe(BATCH_RECORDS, records)


def report_processed(metrics: Metrics, topic: str, partition: int, appended: Mapping[int, int], now_ms: int) -> None:
    """These records and all before them are processed. ``appended``: how many Kafka appended at which millisecond."""
    for appended_ms, records in appended.items():
        metrics.observe(PROCESSING_DELAY, max(0, now_ms - appended_ms) / 1000, records)
    metrics.set(LAST_PROCESSED, max(appended) / 1000, topic=topic, partition=partition)


def withdraw(metrics: Metrics, topic: str, partition: int) -> None:
    """Another worker owns the partition now: this one must not report it any more."""
    for gauge in (LAG, LAST_PROCESSED):
        metrics.set(gauge, None, topic=topic, partition=partition)


def count_retry(metrics: Metrics, operation: str) -> Callable[[], None]:
    """To be called before each retry of the operation."""
    return partial(metrics.increment, RETRIES, operation=operation)
