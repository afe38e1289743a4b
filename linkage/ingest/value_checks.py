"""Values that are surely damaged, counted by field and kind: a report to send back, not a verdict.

The rows stay: a person with an impossible birth date is still a person. What a value is worth is decided later, by
the field types in `matchers`; this looks only for what a spreadsheet or a date filter does to a whole column.

Kinds: `scientific_notation` (9.14403E+17), `decimal_point` (a whole number with `.0`), `rounded_number` (18 digits
ending in 000, as left by a spreadsheet; a few are genuine), `impossible_date`, `unreadable_date`, `future_date`,
`unmapped_value` (the field has a value map and the value is not in it).
"""

from __future__ import annotations

from datetime import date

import duckdb

from linkage.fields import FIELDS
from linkage.ingest.source_config import SourceConfig
from linkage.ingest.sql import iso_date, literal, quote, trimmed

_SCIENTIFIC = r"^[0-9](\.[0-9]+)?[eE]\+[0-9]{1,3}$"
_DECIMAL_POINT = r"^[0-9]+\.0+$"
_ROUNDED = r"^[0-9]{15}000$"
_DATE_SHAPE = r"^[0-9]{4}([-/.年]?[0-9]{1,2}([-/.月]?[0-9]{1,2})?)?[年月日]?([ T].*)?$"


def count_warnings(
    con: duckdb.DuckDBPyConnection, records: str, config: SourceConfig, *, latest: date
) -> dict[str, dict[str, int]]:
    """Count damaged values: field to kind to number of records, kinds that do not occur left out.

    Args:
        con: any connection.
        records: table expression of accepted records.
        config: the source.
        latest: a date after this is in the future.
    """
    tests: dict[tuple[str, str], str] = {}
    for field in FIELDS[config.entity]:
        text = trimmed(quote(field.name))
        if field.is_number:
            tests[field.name, "scientific_notation"] = f"regexp_matches({text}, {literal(_SCIENTIFIC)})"
            tests[field.name, "decimal_point"] = f"regexp_matches({text}, {literal(_DECIMAL_POINT)})"
            tests[field.name, "rounded_number"] = f"regexp_matches({text}, {literal(_ROUNDED)})"
        if field.is_date:
            iso = iso_date(quote(field.name))
            readable = f"regexp_matches({text}, {literal(_DATE_SHAPE)})"
            tests[field.name, "unreadable_date"] = f"{text} is not null and not {readable}"
            tests[field.name, "impossible_date"] = f"{readable} and {iso} is null"
            tests[field.name, "future_date"] = f"{iso} > {literal(latest.isoformat())}"
        if table := config.values.get(field.name):
            known = ", ".join(literal(value.strip()) for value in dict.fromkeys(v for v in table.values()))
            tests[field.name, "unmapped_value"] = f"{text} not in ({known})"
    counts = con.execute(
        f"select {', '.join(f'count_if({test})' for test in tests.values())} from {records}"
    ).fetchall()[0]
    warnings: dict[str, dict[str, int]] = {}
    for (name, kind), count in zip(tests, counts, strict=True):
        if count:
            warnings.setdefault(name, {})[kind] = count
    return warnings
