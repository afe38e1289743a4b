"""The simulated sources: who is in them, how they write addresses and dates, and the shape of their files.

The shape (format, encoding, delimiter, column names, value codes) is read from the source's own configuration in
`configs/sources/`, the same file that tells the ingest how to read it back; here is what no configuration says.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True)
class SourcePlan:
    """How a source sees the district.

    Attributes:
        name: the source.
        who: which subjects can be in it (see `channels.eligible`).
        styles: weights of address styles (`addresses.STYLES`).
        dates: strftime pattern of its dates.
        mode: `full` files every month, or `delta` files after the first.
        prefix: of its record ids.
        suffix: of its files.
    """

    name: str
    who: str
    styles: Mapping[str, float]
    dates: str
    mode: str
    prefix: str
    suffix: str
    extra: Mapping[str, str] = field(default_factory=dict)


PLANS: tuple[SourcePlan, ...] = (
    SourcePlan("population_registry", "people", {"city_room": 8, "full": 2}, "%Y%m%d", "full", "RK", "csv"),
    SourcePlan("social_insurance", "employees", {"city": 5, "district": 5}, "%Y-%m-%d", "delta", "SB", "parquet"),
    SourcePlan("grid_residents", "people", {"grid": 8, "hash": 2}, "%Y/%m/%d", "full", "WG", "csv"),
    SourcePlan("water_customers", "householders", {"utility": 6, "short": 4}, "%Y-%m-%d", "full", "W", "csv"),
    SourcePlan("telecom_users", "phone_owners", {"district": 5, "town": 5}, "%Y-%m-%d", "delta", "T", "jsonl"),
    SourcePlan("volunteers", "adults", {"short": 5, "district": 5}, "%Y年%m月%d日", "full", "ZYZ", "xlsx"),
    SourcePlan("professional_titles", "employees", {"city": 1}, "%Y-%m", "full", "ZC", "xlsx"),
    SourcePlan("court_persons", "adults", {"old_street": 6, "city": 4}, "%Y-%m-%d", "delta", "ZX", "jsonl"),
    SourcePlan("credit_bureau_persons", "adults", {"city": 6, "district": 4}, "%Y%m%d", "full", "CB", "parquet"),
    SourcePlan("market_registry", "registered", {"city": 7, "city_room": 3}, "%Y-%m-%d", "full", "", "csv"),
    SourcePlan("tax_registration", "taxpayers", {"full": 5, "old_street": 5}, "%Y-%m-%d", "delta", "", "csv"),
    SourcePlan("social_insurance_units", "employers", {"district": 1}, "%Y%m%d", "full", "DW", "txt"),
    SourcePlan("administrative_penalties", "registered", {"city": 1}, "%Y/%m/%d", "delta", "CF", "xlsx"),
    SourcePlan("court_judgments", "registered", {"old_street": 5, "city": 5}, "%Y-%m-%d", "delta", "", "jsonl"),
    SourcePlan("civil_affairs", "public", {"city_room": 1}, "%Y年%m月%d日", "full", "MZ", "xlsx"),
    SourcePlan("grid_premises", "premises", {"grid": 8, "hash": 2}, "%Y/%m/%d", "full", "FR", "csv"),
    SourcePlan("electricity_customers", "premises", {"utility": 6, "short": 4}, "%Y-%m-%d", "full", "", "csv"),
    SourcePlan("credit_bureau_companies", "registered", {"city": 6, "full": 4}, "%Y%m%d", "full", "CC", "parquet"),
)


@dataclass(frozen=True)
class Shape:
    """The shape of a source's files, from its configuration.

    Attributes:
        channel: one of the five channels.
        entity: legal_person or natural_person.
        format: csv, xlsx, jsonl or parquet.
        encoding: text encoding.
        delimiter: of a CSV.
        header_row: row of the column names, 1-based.
        record_id: its column or columns.
        as_of: column of the record's date, if any.
        columns: canonical field to column.
        values: canonical field to {canonical value: the source's code}.
        operation: column of a delta's operation, if any.
        delete: the code of a deletion.
    """

    channel: str
    entity: str
    format: str
    encoding: str
    delimiter: str
    header_row: int
    sheet: str
    record_id: tuple[str, ...]
    as_of: str | None
    columns: Mapping[str, str]
    values: Mapping[str, Mapping[str, str]]
    operation: str | None
    delete: str

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the canonical fields the source has."""
        return tuple(self.columns)


@cache
def shape(name: str) -> Shape:
    """Read the shape of a source's files from `configs/sources/NAME.toml`."""
    path = resources.files("configs").joinpath("sources", f"{name}.toml")
    config: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    file, key, delta = config.get("file", {}), config["key"], config.get("delta", {})
    record_id = key["source_record_id"]
    return Shape(
        channel=config["channel"],
        entity=config["entity"],
        format=file["format"],
        encoding=file.get("encoding", "utf-8"),
        delimiter=file.get("delimiter", ","),
        header_row=file.get("header_row", 1),
        sheet=file.get("sheet", "Sheet1"),
        record_id=(record_id,) if isinstance(record_id, str) else tuple(record_id),
        as_of=key.get("as_of"),
        columns={name: column if isinstance(column, str) else column[0] for name, column in config["columns"].items()},
        values={
            name: {canonical: raw for raw, canonical in reversed(list(codes.items()))}
            for name, codes in config.get("values", {}).items()
        },
        operation=delta.get("operation"),
        delete=delta.get("delete", ["D"])[0],
    )


def plans(entity: str) -> tuple[SourcePlan, ...]:
    """Return the plans of the sources of an entity type."""
    return tuple(plan for plan in PLANS if shape(plan.name).entity == entity)
