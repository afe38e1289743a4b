"""Loads may arrive in any order: what is in force follows from the dates they vouch for."""

from __future__ import annotations

from datetime import date
from itertools import permutations

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from police_source import Load, config

from linkage.ingest.current import current_records
from linkage.ingest.errors import IngestError
from linkage.ingest.manifest import LoadManifest, list_loads

HEADER = "编号,姓名,身份证号,性别,出生日期,操作\n"
CHANGES = st.lists(st.tuples(st.sampled_from("123"), st.sampled_from(["甲", "乙", "-"])), min_size=1, max_size=3)
HISTORY = st.lists(
    st.tuples(st.sampled_from(["police", "grid"]), st.sampled_from(["full", "delta"]), CHANGES), min_size=2, max_size=4
)


def rows(month: int, changes: list[tuple[str, str]]) -> str:
    """Return a file; a line of its own makes it a file of its own."""
    said = "".join(f"{key},{name},,,,{'删除' if name == '-' else ''}\n" for key, name in changes)
    return f"{HEADER}{said}7m{month},丙,,,,\n"


def in_force(loads: list[LoadManifest]) -> list[tuple[object, ...]]:
    with duckdb.connect(config={"python_enable_replacements": False}) as con:
        current_records(con, loads, out="raw")
        return con.execute("select * from raw order by record_id").fetchall()


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=HISTORY, data=st.data())
def test_any_order_of_arrival_gives_the_same_records_in_force(
    load: Load,
    tmp_path_factory: pytest.TempPathFactory,
    history: list[tuple[str, str, list[tuple[str, str]]]],
    data: st.DataObject,
) -> None:
    numbers = list(range(len(history)))
    found = []
    for order in (numbers, data.draw(st.sampled_from(list(permutations(numbers))))):
        root = tmp_path_factory.mktemp("workspace")
        for number in order:
            source, mode, changes = history[number]
            load(
                rows(number, changes),
                root=root,
                source=config(source=source),
                mode=mode,
                as_of=date(2025, number + 1, 1),
                allow_out_of_order=True,
            )
        found.append(in_force(list_loads(root)))
    assert found[0] == found[1]


@pytest.mark.parametrize("what", ["late", "another mode", "loaded since"])
def test_a_refusal_that_an_option_would_lift_is_wrong_use(what: str, load: Load) -> None:
    load(rows(1, [("1", "甲")]), as_of=date(2025, 1, 31))
    load(rows(2, [("1", "乙")]), as_of=date(2025, 2, 28))
    arguments = {
        "late": (rows(3, [("2", "甲")]), {"as_of": date(2025, 1, 31)}, "--late"),
        "another mode": (rows(2, [("1", "乙")]), {"as_of": date(2025, 2, 28), "mode": "delta"}, "--again"),
        "loaded since": (rows(1, [("1", "甲")]), {"as_of": date(2025, 3, 31)}, "--again"),
    }
    content, options, remedy = arguments[what]
    with pytest.raises(IngestError, match=remedy) as refused:
        load(content, **options)
    assert refused.value.exit_code == 2
