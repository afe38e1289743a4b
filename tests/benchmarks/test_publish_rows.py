"""The benchmark of publishing: made-up entities that a service can be asked for."""

from __future__ import annotations

import duckdb

from benchmarks.publish import make_tables
from matchers.identifiers.resident_id import is_valid


def test_resident_numbers_are_valid_and_no_two_people_have_the_same() -> None:
    with duckdb.connect() as con:
        make_tables(con, 3_000, changed=False)
        numbers = con.execute("select value from in_identifier where scheme = 'resident_id'").fetchall()
        golden = con.execute("select id_number from natural_person").fetchall()
    assert all(is_valid(number) for (number,) in numbers + golden)
    assert len(set(numbers)) == len(numbers)
    assert set(golden) <= set(numbers)
