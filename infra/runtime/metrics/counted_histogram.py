"""A histogram that takes many equal observations as one: per event of a batch it would cost more than decoding it."""

from bisect import bisect_left

from prometheus_client import Histogram


class CountedHistogram(Histogram):
    def observe_many(self, amount: float, count: int) -> None:
        """The same as ``count`` times ``observe``."""
        self._sum.inc(amount * count)
        self._buckets[bisect_left(self._upper_bounds, amount)].inc(count)
