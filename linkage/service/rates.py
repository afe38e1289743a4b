"""How often a token may ask: a bucket of permits per token, refilled at a steady rate (token bucket)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from linkage.service.errors import ServiceError


@dataclass
class _Bucket:
    permits: float
    at: float


class Rates:
    """Buckets by name.

    Args:
        per_second: permits a bucket gains each second.
        burst: permits a full bucket holds.
        clock: seconds, always rising.
    """

    def __init__(self, per_second: float, burst: float, clock: Callable[[], float]) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def take(self, name: str, permits: float = 1) -> None:
        """Take permits of a bucket.

        Raises:
            ServiceError: 429; there are not as many now. A bucket that is full lets any number through once.
        """
        bucket = self._refilled(name)
        if bucket.permits < min(permits, self._burst):
            self._refuse(bucket, min(permits, self._burst))
        bucket.permits -= permits

    def check(self, name: str) -> None:
        """Refuse if a bucket is empty, and take nothing.

        Raises:
            ServiceError: 429.
        """
        bucket = self._refilled(name)
        if bucket.permits < 1:
            self._refuse(bucket, 1)

    def spend(self, name: str, permits: float) -> None:
        """Take permits for what has been done already; the bucket may go below empty."""
        self._refilled(name).permits -= permits

    def _refilled(self, name: str) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.setdefault(name, _Bucket(self._burst, now))
        bucket.permits = min(self._burst, bucket.permits + (now - bucket.at) * self._per_second)
        bucket.at = now
        return bucket

    def _refuse(self, bucket: _Bucket, wanted: float) -> None:
        seconds = max(1, math.ceil((wanted - bucket.permits) / self._per_second))
        raise ServiceError(
            429, "too_many", f"too many questions; ask again in {seconds} s", headers={"retry-after": str(seconds)}
        )
