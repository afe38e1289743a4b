"""The benchmark of the service: a store of simulated entities that can be asked."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.resolve import make_store, questions
from golden_records.catalog.store import open_catalog
from linkage.lookup.resolve import resolve
from linkage.lookup.snapshot import Lookup
from linkage.service.messages import ResolveRequest

KINDS = ("uscc", "resident_id", "legal_name_address", "natural_name_address")


def test_a_store_is_of_the_true_entities_and_answers_for_them(tmp_path: Path) -> None:
    told = make_store(tmp_path, 400, 5, None)
    assert abs(told["counts"]["legal_person"] + told["counts"]["natural_person"] - 400) < 10
    assert not (tmp_path / "batch.duckdb").exists()
    catalog_file = tmp_path / "workspace" / "catalog.sqlite"
    with open_catalog(catalog_file, read_only=True) as catalog, Lookup(catalog).reading() as snapshot:
        for kind in KINDS:
            bodies = questions(catalog_file, kind, 30, 5)
            answers = [resolve(snapshot, ResolveRequest(**json.loads(body)).query()) for body in bodies]
            assert sum(bool(answer.candidates) for answer in answers) >= 25
