"""A full load replaces all that its source said: one that says far less is refused unless a person says it is right."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest
from police_source import HEADER, Load, config

from eval.alarms import StabilityLimits
from linkage.errors import WRONG_USE
from linkage.ingest.errors import IngestError
from linkage.ingest.loads import ingest_files
from linkage.ingest.manifest import list_loads

LIMITS = StabilityLimits()
FEBRUARY = date(2025, 2, 28)


def people(count: int, first: int = 1) -> str:
    return HEADER + "".join(f"{key},张三,,,,\n" for key in range(first, first + count))


def test_a_full_load_of_a_few_rows_is_refused_and_leaves_the_loads_as_they_were(load: Load, tmp_path: Path) -> None:
    january = load(people(100), limits=LIMITS)
    with pytest.raises(
        IngestError, match=rf"2 records as the whole of 'police'; .*{january.load_id}.* had 100"
    ) as told:
        load(people(2), as_of=FEBRUARY, limits=LIMITS)
    assert told.value.exit_code == WRONG_USE
    assert "--shrunk" in str(told.value)
    assert [m.load_id for m in list_loads(tmp_path / "workspace")] == [january.load_id]
    assert load(people(2), as_of=FEBRUARY, limits=None).kept == 2


@pytest.mark.parametrize(
    ("before", "after", "taken"), [(100, 50, True), (100, 49, False), (30, 11, True), (30, 10, False), (10, 300, True)]
)
def test_the_share_and_the_least_number_are_those_of_the_workspace(
    load: Load, before: int, after: int, taken: bool
) -> None:
    load(people(before), limits=LIMITS)
    if taken:
        assert load(people(after), as_of=FEBRUARY, limits=LIMITS).kept == after
    else:
        with pytest.raises(IngestError, match="as the whole of"):
            load(people(after), as_of=FEBRUARY, limits=LIMITS)


def test_changes_and_loads_of_the_past_are_not_the_whole(load: Load) -> None:
    load(people(100), as_of=FEBRUARY, limits=LIMITS)
    assert load(people(3), limits=LIMITS, allow_out_of_order=True).kept == 3
    rows = HEADER.replace("\n", ",操作\n") + "1,张三,,,,,改\n"
    assert load(rows, as_of=FEBRUARY, mode="delta", limits=LIMITS).kept == 1


def test_a_load_is_not_compared_with_the_one_whose_place_it_takes(load: Load) -> None:
    load(people(100), limits=LIMITS)
    assert load(people(100), limits=LIMITS, load_again=True).kept == 100


def test_a_delivery_of_several_files_is_one_load(tmp_path: Path, load: Load) -> None:
    load(people(100), limits=LIMITS)
    root = tmp_path / "workspace"
    for name, count, first in (("a.csv", 30, 1), ("b.csv", 30, 31), ("c.csv", 5, 61), ("d.csv", 6, 66)):
        (tmp_path / name).write_text(people(count, first), "utf-8")

    def deliver(*names: str, as_of: date) -> None:
        ingest_files(
            [tmp_path / name for name in names],
            source=config(),
            as_of=as_of,
            mode="full",
            root=root,
            now=datetime(2025, 4, 1),
            limits=LIMITS,
        )

    deliver("a.csv", "b.csv", as_of=FEBRUARY)
    with pytest.raises(IngestError, match="had 60"):
        deliver("c.csv", as_of=date(2025, 3, 31))
    with pytest.raises(IngestError, match="11 records as the whole"):
        deliver("c.csv", "d.csv", as_of=date(2025, 3, 31))
