"""What the middleware counts: plain lists, put into a metrics library's form when somebody scrapes."""

from bisect import bisect_left
from dataclasses import dataclass, field

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds; a last bucket takes the rest."""


@dataclass
class Series:
    """Answers of one operation in one status class."""

    seconds: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))

    @property
    def count(self) -> int:
        return sum(self.buckets)


@dataclass
class Tally:
    """Of this process since it started, by (operation, hundreds of the status)."""

    in_flight: int = 0
    series: dict[tuple[str, int], Series] = field(default_factory=dict)

    def add(self, operation: str, status: int, seconds: float) -> None:
        key = (operation, status // 100)
        series = self.series.get(key)
        if series is None:
            series = self.series[key] = Series()
        series.seconds += seconds
        series.buckets[bisect_left(BUCKETS, seconds)] += 1
