from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from police_source import Load, config

from linkage.fields import CANONICAL_FIELDS
from linkage.ingest.current import CurrentCounts, current_records, loads_in_force
from linkage.ingest.errors import IngestError
from linkage.ingest.manifest import LoadManifest, list_loads
from linkage.ingest.source_config import canonical_source

HEADER = "编号,姓名,身份证号,性别,出生日期,操作\n"


def current(loads: list[LoadManifest]) -> tuple[dict[str, str], CurrentCounts]:
    with duckdb.connect(config={"python_enable_replacements": False}) as con:
        counts = current_records(con, loads, out="raw")
        return dict(con.execute("select record_id, name from raw").fetchall()), counts


def rows(*changes: str) -> str:
    return HEADER + "".join(f"{c[0]},{c[1:]},,,,{'删除' if c[1:] == '-' else ''}\n" for c in changes)


def test_a_delta_replaces_and_withdraws_and_a_full_load_replaces_all(load: Load, tmp_path: Path) -> None:
    load(rows("1a", "2b", "3c"), as_of=date(2025, 1, 31))
    load(rows("2B", "3-", "4d", "9-"), as_of=date(2025, 2, 28), mode="delta")
    loads = list_loads(tmp_path / "workspace")
    records, counts = current(loads)
    assert records == {"police:1": "a", "police:2": "B", "police:4": "d"}
    assert counts == CurrentCounts(rows_in=7, kept=3, superseded=2, deleted=2, quarantined=0)
    load(rows("3C"), as_of=date(2025, 3, 31), mode="delta")
    assert current(list_loads(tmp_path / "workspace"))[0] == records | {"police:3": "C"}
    load(rows("1x"), as_of=date(2025, 4, 30))
    records, counts = current(list_loads(tmp_path / "workspace"))
    assert records == {"police:1": "x"}
    assert counts == CurrentCounts(rows_in=9, kept=1, superseded=8, deleted=0, quarantined=0)


def test_sources_do_not_replace_each_other(load: Load, tmp_path: Path) -> None:
    load(rows("1a"))
    load(rows("1b"), source=config(source="grid"), as_of=date(2025, 2, 28))
    assert current(list_loads(tmp_path / "workspace"))[0] == {"police:1": "a", "grid:1": "b"}


def test_the_table_has_the_columns_that_are_promised(load: Load) -> None:
    manifest = load(rows("1a"))
    with duckdb.connect() as con:
        con.execute("create schema natural_person")
        current_records(con, [manifest], out="natural_person.raw")
        described = con.execute("describe natural_person.raw").fetchall()
        assert con.execute("select load_id, as_of from natural_person.raw").fetchall() == [
            (manifest.load_id, "2025-01-31")
        ]
    names = ["record_id", "source", "source_record_id", "as_of", "load_id", *CANONICAL_FIELDS["natural_person"]]
    assert [(row[0], row[1]) for row in described] == [(name, "VARCHAR") for name in names]


def test_the_files_of_one_delivery_count_together_and_a_missing_one_is_an_error(load: Load, tmp_path: Path) -> None:
    load(rows("1a", "2b"))
    february = {"as_of": date(2025, 2, 28)}
    first = load(rows("1x"), part=(1, 2), **february)
    with pytest.raises(IngestError, match=f"{first.load_id}: part 1 of 2, but part 2 is missing"):
        current(list_loads(tmp_path / "workspace"))
    load(rows("3y"), part=(2, 2), **february)
    assert current(list_loads(tmp_path / "workspace"))[0] == {"police:1": "x", "police:3": "y"}


def test_a_load_that_comes_late_does_not_replace_newer_ones(load: Load, tmp_path: Path) -> None:
    load(rows("1new"), as_of=date(2025, 2, 28))
    load(rows("1old"), as_of=date(2025, 1, 31), allow_out_of_order=True)
    assert current(list_loads(tmp_path / "workspace"))[0] == {"police:1": "new"}


def test_loads_of_both_entities_or_none_are_errors(load: Load) -> None:
    companies = load("source_record_id,name\n1,甲\n", name="c.csv", source=canonical_source("legal_person", "registry"))
    with pytest.raises(IngestError, match="legal_person and natural_person"):
        current([companies, load(rows("1a"))])
    with pytest.raises(IngestError, match="no loads"):
        current([])


CHANGE = st.tuples(st.sampled_from("123"), st.sampled_from(["a", "b", "-", ""])).map("".join)
HISTORY = st.lists(
    st.tuples(st.sampled_from(["full", "delta"]), st.lists(CHANGE, min_size=1, max_size=4)), min_size=1, max_size=4
)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HISTORY)
def test_the_records_in_force_are_those_of_a_replay(
    load: Load, tmp_path_factory: pytest.TempPathFactory, history: list[tuple[str, list[str]]]
) -> None:
    root = tmp_path_factory.mktemp("workspace")
    expected: dict[str, str] = {}
    for month, (mode, changes) in enumerate(history, start=1):
        load(
            rows(*changes) + f"7m{month},,,,,\n",
            root=root,
            mode=mode,
            as_of=date(2025, month, 1),
            now=datetime(2026, 1, 1),
        )
        accepted: dict[str, str] = {}
        for change in changes:
            if change[1:] and (mode == "delta" or change[0] not in accepted):
                accepted[change[0]] = change[1:]
        expected = {} if mode == "full" else expected
        for key, name in accepted.items():
            expected.pop(key, None)
            if name != "-":
                expected[key] = name
        expected[f"7m{month}"] = ""
    loads = list_loads(root)
    records, counts = current(loads)
    assert counts.rows_in == counts.kept + counts.superseded + counts.deleted + counts.quarantined
    assert counts.superseded >= 0
    assert records == {f"police:{key}": name for key, name in expected.items() if name}
    assert current(loads[::-1]) == (records, counts)
    assert [m.load_id for m in loads_in_force(loads)] == [m.load_id for m in loads_in_force(loads[::-1])]
