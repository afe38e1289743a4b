"""Counts and times for Prometheus. Labels are route templates, methods, statuses and entity types; nobody's values."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class Metrics:
    """The metrics of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "guiyi_requests", "Requests answered.", ["route", "method", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "guiyi_request_seconds", "Time to answer.", ["route"], buckets=_SECONDS, registry=self.registry
        )
        self.answers = Counter(
            "guiyi_answers", "Questions answered, by what was found.", ["entity_type", "status"], registry=self.registry
        )
        self.looks = Counter("guiyi_person_looks", "Looks at natural persons, logged.", registry=self.registry)
        self.release = Gauge("guiyi_release", "Number of the release that answers.", registry=self.registry)

    def text(self) -> bytes:
        """Return the metrics in Prometheus' text form."""
        return generate_latest(self.registry)
