"""How a job reports what it has done."""

from collections.abc import Callable

Report = Callable[[str, int], None]
"""Called after each step with its name and the number of rows or objects that it handled."""
