"""Simulated and corrupted records with canonical columns, all sources in one file: for one-off links and benchmarks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from eval.simulator.channels import World
from eval.simulator.columns import Draw, Ints, Text, constant, days, digits, join, nothing, rows_of, stream
from eval.simulator.damage import patterns
from eval.simulator.district import make_feeds, make_world, no_changes, step_feed
from eval.simulator.error_table import Alternative, Batch
from eval.simulator.errors import corrupt, error_lists
from eval.simulator.feeds import Feed
from eval.simulator.profile import SimulatorError, SimulatorProfile, load_profile
from eval.simulator.sources import PLANS, shape
from eval.simulator.truth import error_counts, truth_table

LEGAL_PERSON_FIELDS = (
    "name",
    "former_names",
    "entity_kind",
    "uscc",
    "registration_number",
    "organization_code",
    "tax_number",
    "legal_rep_name",
    "legal_rep_id_type",
    "legal_rep_id_number",
    "address",
    "phone",
    "email",
    "established_date",
    "status",
)
NATURAL_PERSON_FIELDS = (
    "name",
    "former_names",
    "id_type",
    "id_number",
    "birth_date",
    "sex",
    "phone",
    "address",
    "household_address",
    "employer_name",
    "employer_uscc",
    "ethnicity",
    "nationality",
)
FIELDS = {"legal_person": LEGAL_PERSON_FIELDS, "natural_person": NATURAL_PERSON_FIELDS}
# Sources of a corrupted registry, in the order they are taken.
REGISTRY_SOURCES = (
    "market_registry",
    "tax_registration",
    "grid_premises",
    "electricity_customers",
    "credit_bureau_companies",
    "social_insurance_units",
    "court_judgments",
    "administrative_penalties",
)
# Mean records per subject with the shipped profile, to size a population for a number of records.
_RECORDS_PER_SUBJECT = {"legal_person": 3.8, "natural_person": 3.15}


@dataclass(frozen=True)
class CorruptionSummary:
    """What was written: records, entities, records with each error class."""

    records: int
    entities: int
    errors: dict[str, int]


def simulate_canonical(
    entity: str, records: int, output: Path, seed: int, profile: SimulatorProfile | None = None
) -> CorruptionSummary:
    """Write one file of simulated records of all sources with canonical columns, and its truth.

    Writes `OUTPUT/ENTITY.parquet` (source, source_record_id, as_of and the canonical fields, in random order) and
    `OUTPUT/truth.parquet`. The seed, size and profile decide every byte.

    Args:
        entity: `legal_person` or `natural_person`.
        records: exact number of records, at least 1.
        output: folder; made if absent.
        seed: the run's seed.
        profile: settings; the shipped ones if absent.

    Raises:
        SimulatorError: an unknown entity, a size below 1.
    """
    if entity not in FIELDS:
        raise SimulatorError(f"simulate_canonical: entity: {entity!r}: known are {', '.join(FIELDS)}")
    if records < 1:
        raise SimulatorError(f"simulate_canonical: records: {records}: must be at least 1")
    profile = profile or load_profile()
    subjects = int(records / _RECORDS_PER_SUBJECT[entity] * 1.05) + 30
    while True:
        table, truth = _all_sources(entity, subjects, seed, profile)
        if table.num_rows >= records:
            break
        subjects = int(subjects * 1.3)
    order = pa.array(stream(seed, "canonical order").permutation(table.num_rows)[:records])
    table, truth = table.take(order), truth.take(order)
    return _write(table, truth, output, entity)


def first_month(entity: str, world: World, seed: int, profile: SimulatorProfile) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Yield the first month of a district, source by source: canonical records of an entity type, and their truth."""
    for feed in make_feeds(profile):
        if shape(feed.plan.name).entity == entity:
            step_feed(feed, world, 1, no_changes(world), seed)
            yield _feed_table(entity, feed), truth_table(feed, [profile.start_month])


def corrupt_registry(
    table: pa.Table, *, output: Path, copies: int, seed: int, profile: SimulatorProfile | None = None
) -> CorruptionSummary:
    """Write a corrupted copy of a table of organisations as several sources would have it, and its truth.

    Every row is one organisation. Each of the first `copies` sources of `REGISTRY_SOURCES` takes its share of the rows,
    keeps the fields it has and errs as its channel does. Writes `OUTPUT/legal_person.parquet` and
    `OUTPUT/truth.parquet`, as `simulate_canonical` does.

    Args:
        table: canonical legal_person columns (`name` at least), all text; other columns are ignored.
        output: folder; made if absent.
        copies: number of sources, from 1 to the number there is.
        seed: the run's seed.
        profile: settings; the shipped ones if absent.

    Raises:
        SimulatorError: no `name` column, no rows, or a number of copies out of range.
    """
    profile = profile or load_profile()
    sources = [plan for name in REGISTRY_SOURCES for plan in PLANS if plan.name == name]
    if "name" not in table.column_names or table.num_rows == 0:
        raise SimulatorError("corrupt_registry: table: needs a column `name` and at least one row")
    if not 1 <= copies <= len(sources):
        raise SimulatorError(f"corrupt_registry: copies: {copies}: must be from 1 to {len(sources)}")
    registry = {name: _column(table, name) for name in LEGAL_PERSON_FIELDS if name in table.column_names}
    tables, truths = [], []
    for plan in sources[:copies]:
        rng = stream(seed, "corrupt", plan.name)
        settings = profile.source(plan.name)
        taken = np.flatnonzero(rng.random(table.num_rows) < settings.coverage)
        twice = taken[rng.random(len(taken)) < settings.duplicates]
        subjects = rng.permutation(np.concatenate([taken, twice]))
        batch = _registry_batch(registry, subjects, shape(plan.name).fields, rng)
        applied = corrupt(batch, profile.error_rates(shape(plan.name).channel), rng)
        ids = join(plan.prefix, digits(np.arange(len(subjects)) * 7 + 100_003, 9))
        as_of = constant(f"{profile.start_month}-28", len(subjects))
        tables.append(_canonical("legal_person", plan.name, ids, as_of, batch.columns))
        truths.append(
            pa.table(
                {
                    "source": constant(plan.name, len(subjects)),
                    "source_record_id": ids,
                    "entity_id": join("O", digits(subjects + 1, 9)),
                    "month_first": constant(profile.start_month, len(subjects)),
                    "errors": error_lists(len(subjects), applied),
                }
            )
        )
    return _write(pa.concat_tables(tables), pa.concat_tables(truths), output, "legal_person")


def _all_sources(entity: str, subjects: int, seed: int, profile: SimulatorProfile) -> tuple[pa.Table, pa.Table]:
    """Return the first month of every source of an entity type: canonical records and truth, row by row."""
    natural = entity == "natural_person"
    people = subjects if natural else max(subjects, 50)
    organisations = max(subjects // 6, 20) if natural else subjects
    world = make_world(people=people, organisations=organisations, months=1, seed=seed, profile=profile)
    tables, truths = zip(*first_month(entity, world, seed, profile), strict=True)
    return pa.concat_tables(tables), pa.concat_tables(truths)


def _feed_table(entity: str, feed: Feed) -> pa.Table:
    return _canonical(entity, feed.plan.name, feed.source_record_ids(), days(feed.as_of), feed.columns)


def _canonical(entity: str, source: str, ids: Text, as_of: Text, columns: dict[str, Text]) -> pa.Table:
    count = len(ids)
    fields = {field: columns.get(field, nothing(count)) for field in FIELDS[entity]}
    return pa.table({"source": constant(source, count), "source_record_id": ids, "as_of": as_of, **fields})


def _registry_batch(registry: dict[str, Text], subjects: Ints, fields: tuple[str, ...], rng: Draw) -> Batch:
    wanted = {field: registry[field] for field in fields if field in registry}
    # A source keyed by another number than the registry knows gets what follows from the code.
    if "uscc" in registry:
        code = registry["uscc"]
        if "tax_number" in fields:
            wanted.setdefault("tax_number", code)
        if "organization_code" in fields:
            wanted.setdefault("organization_code", pc.utf8_slice_codeunits(code, 8, 17))
    columns = {field: rows_of(values, subjects) for field, values in wanted.items()}
    alternatives: dict[str, Alternative] = {}
    if "former_names" in registry:
        alternatives["former_name"] = lambda rows: rows_of(registry["former_names"], subjects[rows])
    if "legal_rep_name" in registry:
        individual = pc.match_substring_regex(registry["name"], "(店|馆|坊|档|商行|经营部|门市部)$")
        operators = pc.if_else(individual, registry["legal_rep_name"], pa.scalar(None, pa.string()))
        alternatives["operator_name"] = lambda rows: rows_of(operators, subjects[rows])
    parents = pc.replace_substring_regex(
        registry["name"], "(公司|厂|店|银行|医院).{0,12}(分公司|分店|支行|营业部|门市部)$", r"\1"
    )
    parents = pc.if_else(pc.not_equal(parents, registry["name"]), parents, pa.scalar(None, pa.string()))
    alternatives["parent_name"] = lambda rows: rows_of(parents, subjects[rows])
    if "uscc" in registry:
        alternatives["code"] = lambda rows: rows_of(registry["uscc"], subjects[rows])
        alternatives["old_code"] = lambda rows: _organisation_code(rows_of(registry["uscc"], subjects[rows]))
    if "address" in registry:
        places = registry["address"]
        alternatives["restyled_address"] = lambda rows: _restyled(rows_of(places, subjects[rows]), rng)
        # Where a firm was before is not in a registry: somebody else's address stands in.
        before = rng.permutation(len(places))
        alternatives["stale_address"] = lambda rows: rows_of(places, before[subjects[rows]])
    return Batch("legal_person", columns, alternatives)


def _restyled(address: Text, rng: Draw) -> Text:
    """Write addresses as another department would: without their first divisions, other words for block and room."""
    return patterns(
        address,
        rng,
        (r"^[^省市]{2,3}省", ""),
        (r"^(?:[^省市]{2,3}省)?[^省市区]{2,3}市", ""),
        (r"^(?:[^省市]{2,3}省)?(?:[^省市区]{2,3}市)?[^省市区]{2,4}区", ""),
        (r"栋", "座"),
        (r"[室号]$", ""),
        (r"单元", "-"),
        (r"(\d)[层楼](\d)", r"\1F\2"),
    )


def _organisation_code(code: Text) -> Text:
    return pc.replace_substring_regex(code, r"^.{8}(.{8})(.).$", r"\1-\2")


def _column(table: pa.Table, name: str) -> Text:
    column = pc.cast(table[name], pa.string()).combine_chunks()
    values = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def _write(table: pa.Table, truth: pa.Table, output: Path, entity: str) -> CorruptionSummary:
    output.mkdir(parents=True, exist_ok=True)
    pa.parquet.write_table(table, output / f"{entity}.parquet", compression="zstd")
    pa.parquet.write_table(truth, output / "truth.parquet", compression="zstd")
    entities = pc.count_distinct(truth["entity_id"]).as_py()
    return CorruptionSummary(table.num_rows, entities, dict(sorted(error_counts(truth).items())))
