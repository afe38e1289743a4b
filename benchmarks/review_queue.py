"""How fast the review desk's queue is: a catalog with many invented cases, its pages asked for by HTTP in this process.

    python benchmarks/review_queue.py --cases 100000

Measured in processor seconds and, beside it, in wall time: bringing the queue up after a release that brought all
cases; the first page, filtered pages, the hundredth page, a search. Writes `benchmarks/results/review_queue.json`.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from golden_records.catalog.store import open_catalog
from golden_records.entity_id import mint
from linkage.access.tokens import create_token
from linkage.review.queue import bring_up
from linkage.service.app import Service
from linkage.workspace import create_workspace

NOW = datetime(2025, 3, 1, 8, 0, tzinfo=UTC)
KINDS = (
    ("review", "score"),
    ("review", "name_and_birth_date_only"),
    ("conflict", "same_number_other_name"),
    ("refused", "exclusive:uscc"),
)
SOURCES = ("population_registry", "social_insurance", "grid_residents", "market_registry", "tax_registration")
RESULTS = Path(__file__).parent / "results" / "review_queue.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=15)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder) / "workspace", chosen.cases, chosen.repeats)
    RESULTS.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    print(json.dumps(found, indent=2))


def measure(root: Path, cases: int, repeats: int) -> dict[str, Any]:
    workspace = create_workspace(root)
    with open_catalog(workspace.catalog) as catalog:
        fill(catalog, cases)
        token, _ = create_token(
            catalog, role="lead_auditor", owner="bench", organization=None, last_day=date(2999, 1, 1), now=NOW
        )
        found: dict[str, Any] = {"cases": cases, "bring_up_after_a_release": timed(lambda: bring_up(catalog), 1)}
    service = Service(workspace.catalog, workspace.root, workspace=workspace, now=lambda: NOW)
    with TestClient(service) as client:
        client.post("/review/sign-in", data={"token": token})
        for name, path in PAGES.items():
            found[name] = timed(lambda path=path: ask(client, path), repeats)  # type: ignore[misc]
        found["search_by_entity"] = timed(lambda: ask(client, f"/review/?q={mint('NP', 7)}"), repeats)
        far = "/review/"
        for _ in range(100):
            (link,) = re.findall(r'rel="next" href="([^"]+)"', ask(client, far))
            far = link.replace("&amp;", "&")
        found["hundredth_page"] = timed(lambda: ask(client, far), repeats)
    return found


PAGES = {
    "first_page": "/review/",
    "oldest_first": "/review/?order=age",
    "by_weight": "/review/?order=weight",
    "filtered": "/review/?topic=two_numbers&source=tax_registration&least_weight=5&assignee=nobody",
    "filtered_to_nothing": "/review/?topic=bridge&source=tax_registration",
    "all_states": "/review/?state=all",
}


def fill(catalog: Any, cases: int) -> None:
    """Write a release of invented cases, each between two persons or two organisations."""
    with catalog.writing():
        catalog.execute(
            "insert into release (release_id, published_at, kind, cause, content_hash, counts, models, manifest) "
            "values (1, ?, 'publish', 'load', 'x', '{}', '{}', '{}')",
            (NOW.isoformat(),),
        )
        persons, firms, rows = [], [], []
        for number in range(cases):
            kind, rule = KINDS[number * 7 % len(KINDS)]
            is_firm = rule == "exclusive:uscc"
            left, right = (mint("LP" if is_firm else "NP", 2 * number + side) for side in (1, 2))
            (firms if is_firm else persons).extend(
                (one, f"某{number % 977}", 1 + number % 9, 1) for one in (left, right)
            )
            one, other = SOURCES[number % 5], SOURCES[(number * 3 + 1) % 5]
            rows.append(
                (
                    *(f"RC-{number * 2654435761 % 2**64:020x}", "legal_person" if is_firm else "natural_person"),
                    *(kind, rule, (number * 37 % 3_000) / 100 - 10, (number * 13 % 1_000) / 1_000),
                    *(f"{one}:{number}", f"{other}:{number}x", left, right, 1),
                )
            )
        for table, made in (("natural_person", persons), ("legal_person", firms)):
            catalog.connection.executemany(
                f"insert into {table} (entity_id, name, records, since_release) values (?, ?, ?, ?)", made
            )
        catalog.connection.executemany(
            "insert into review_case (case_id, entity_type, kind, rule, match_weight, match_probability, "
            "left_record_id, right_record_id, left_entity_id, right_entity_id, since_release) "
            "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )


def ask(client: TestClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.text


def timed(work: Callable[[], Any], repeats: int) -> dict[str, float]:
    """Return the median and the longest of several times, in milliseconds."""
    wall, processor = [], []
    for _ in range(repeats):
        started, used = time.perf_counter(), time.process_time()
        work()
        wall.append((time.perf_counter() - started) * 1000)
        processor.append((time.process_time() - used) * 1000)
    return {
        "processor_ms": round(statistics.median(processor), 1),
        "wall_ms": round(statistics.median(wall), 1),
        "longest_ms": round(max(wall), 1),
    }


if __name__ == "__main__":
    main()
