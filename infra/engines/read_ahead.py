"""Objects read in the order of their keys, several at a time and each once, with its metadata."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from infra.engines.s3 import ObjectStore

AT_ONCE = 4
Fetched = tuple[dict[str, str], bytes]


class ReadAhead:
    """Satisfies ``domain.lake.ports.ObjectReader`` for a reader that lists a prefix and takes each object as it comes.

    Memory holds the objects that were listed and not taken by ``get`` yet, and the few after them.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._fetched: dict[str, Future[Fetched]] = {}

    def list(self, prefix: str, start_after: str = "") -> Iterator[str]:
        """Lists all keys first. What an earlier list left is dropped."""
        self._fetched.clear()
        names = deque(self._store.list(prefix, start_after))
        ahead: deque[str] = deque()
        while names or ahead:
            while names and len(ahead) < AT_ONCE:
                key = names.popleft()
                self._fetched[key] = self._pool.submit(self._store.fetch, key)
                ahead.append(key)
            yield ahead.popleft()

    def entries(self, prefix: str, start_after: str = "") -> Iterator[tuple[str, str]]:
        return self._store.entries(prefix, start_after)

    def head(self, key: str) -> dict[str, str]:
        return self._fetched[key].result()[0] if key in self._fetched else self._store.head(key)

    def get(self, key: str) -> bytes:
        fetched = self._fetched.pop(key, None)
        return fetched.result()[1] if fetched else self._store.get(key)
