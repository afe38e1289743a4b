"""The simulation: make the district, let the months pass, write every source's files and the truth about them."""

from __future__ import annotations

import calendar
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from eval.simulator.addresses import make_places
from eval.simulator.channels import World
from eval.simulator.columns import Ints, choose, stream, zipf
from eval.simulator.feeds import Feed, Step, empty_feed, step
from eval.simulator.files import Damage, department_table, operations, write
from eval.simulator.months import Changes, advance
from eval.simulator.organisation_names import INDIVIDUAL
from eval.simulator.organisations import OPEN, make_organisations
from eval.simulator.population import make_people
from eval.simulator.profile import SimulatorError, SimulatorProfile, load_profile
from eval.simulator.sources import PLANS, shape
from eval.simulator.truth import Ties, write_truth


@dataclass(frozen=True)
class Load:
    """One source's file or files of one month, in the order they are to be ingested."""

    source: str
    as_of: str
    mode: str
    files: tuple[str, ...]
    rows: int


@dataclass(frozen=True)
class SimulationSummary:
    """What was written: subjects, records by source, loads, damaged rows, errors by class."""

    people: int
    organisations: int
    records: dict[str, int]
    loads: tuple[Load, ...]
    damage: tuple[tuple[str, Damage], ...]
    errors: dict[str, int] = field(default_factory=dict)


def simulate(
    *,
    people: int,
    organisations: int,
    months: int,
    output: Path,
    seed: int,
    profile: SimulatorProfile | None = None,
    progress: Callable[[str], None] | None = None,
) -> SimulationSummary:
    """Simulate a district and write the files its departments would send, with the truth.

    Writes `OUTPUT/YYYY-MM/SOURCE.EXT`, `OUTPUT/loads.toml` (the loads in order) and `OUTPUT/truth/`
    (`legal_person.parquet`, `natural_person.parquet`: source, source_record_id, entity_id, month_first, errors).

    Args:
        people: natural persons in the first month, at least 1.
        organisations: legal persons in the first month, at least 1.
        months: months, at least 1.
        output: folder; made if absent.
        seed: the same seed, sizes and profile give the same files.
        profile: settings; the shipped ones if absent.
        progress: called with a line of text as the work goes on.

    Raises:
        SimulatorError: a size below 1.
    """
    profile = profile or load_profile()
    tell = progress or _quiet
    for name, value in (("people", people), ("organisations", organisations), ("months", months)):
        if value < 1:
            raise SimulatorError(f"simulate: {name}: {value}: must be at least 1")
    tell(f"making a district of {people:,} people and {organisations:,} organisations")
    world = make_world(people=people, organisations=organisations, months=months, seed=seed, profile=profile)
    feeds = make_feeds(profile)
    output.mkdir(parents=True, exist_ok=True)
    loads: list[Load] = []
    damage: list[tuple[str, Damage]] = []
    ties: list[Ties] = []
    for month in range(1, months + 1):
        label = month_label(world.months[month - 1])
        (output / label).mkdir(exist_ok=True)
        changes = (
            advance(world, month, profile.months, stream(seed, "advance", month)) if month > 1 else no_changes(world)
        )
        ties.append(Ties.of(world))
        for feed in feeds:
            tell(f"{label} {feed.plan.name}")
            done = step_feed(feed, world, month, changes, seed)
            written = _write_load(feed, done, month, label, output, profile, seed)
            if written is not None:
                loads.append(written[0])
                damage += [(label, item) for item in written[1]]
    errors = write_truth(output / "truth", feeds, world, damage, ties)
    (output / "loads.toml").write_text(_loads_toml(loads), encoding="utf-8")
    records = {feed.plan.name: len(feed) for feed in feeds}
    return SimulationSummary(people, organisations, records, tuple(loads), tuple(damage), errors)


def make_world(*, people: int, organisations: int, months: int, seed: int, profile: SimulatorProfile) -> World:
    """Make the district of the first month, newcomers of later months included."""
    first = first_days(profile.start_month, months)
    later = months - 1
    settings = profile.months
    places = make_places(stream(seed, "places"), 60 + (people + organisations) // 40)
    population = make_people(
        seed,
        people,
        round(people * settings.arrivals * later),
        round(people * settings.births * later),
        places=places,
        months=first,
        settings=profile.population,
    )
    firms = make_organisations(
        seed,
        organisations,
        round(organisations * settings.openings * later),
        people=population,
        places=places,
        months=first,
        settings=profile.organisations,
    )
    world = World(places, population, firms, first)
    _employ(world, seed)
    return world


def make_feeds(profile: SimulatorProfile) -> list[Feed]:
    """Return the sources, all still empty."""
    return [
        empty_feed(plan, profile.source(plan.name), profile.error_rates(shape(plan.name).channel)) for plan in PLANS
    ]


def step_feed(feed: Feed, world: World, month: int, changes: Changes, seed: int) -> Step:
    """Bring one source up to a month, with its own stream of draws."""
    natural = shape(feed.plan.name).entity == "natural_person"
    changed = changes.people if natural else changes.organisations
    return step(feed, world, month, changed, stream(seed, "feed", feed.plan.name, month))


def no_changes(world: World) -> Changes:
    """Return that nothing changed."""
    return Changes(np.zeros(len(world.people), dtype=bool), np.zeros(len(world.organisations), dtype=bool))


def first_days(start_month: str, months: int) -> Ints:
    """Return the first day of every month, as days since 1970-01-01."""
    start = np.datetime64(start_month, "M")
    days: Ints = (start + np.arange(months)).astype("datetime64[D]").astype(np.int64)
    return days


def month_label(day: int) -> str:
    """Return `YYYY-MM` of a day."""
    return str(np.datetime64(int(day), "D"))[:7]


def _employ(world: World, seed: int) -> None:
    """Give most adults an employer; some firms have many."""
    rng = stream(seed, "employment")
    people, firms = world.people, world.organisations
    open_ = np.asarray(pc.equal(firms.status, OPEN))
    employers = np.flatnonzero((firms.opens <= 1) & (firms.kind != INDIVIDUAL) & open_)
    age = (int(world.months[0]) - people.households.birth) / 365.25
    adults = np.flatnonzero((age >= 18) & (age < 66))
    workers = adults[rng.random(len(adults)) < 0.72]
    if len(employers) and len(workers):
        size = zipf(len(employers), 0.6, 5.0)
        people.employer[workers] = rng.permutation(employers)[choose(rng, size, len(workers))]


def _write_load(
    feed: Feed, done: Step, month: int, label: str, output: Path, profile: SimulatorProfile, seed: int
) -> tuple[Load, tuple[Damage, ...]] | None:
    """Write a source's load of a month; a source with nothing to send sends no file."""
    form = shape(feed.plan.name)
    delta = feed.plan.mode == "delta" and month > 1
    if delta:
        rows = np.concatenate([done.added, done.updated, done.deleted])
        codes = operations(form, len(done.added), len(done.updated), len(done.deleted))
    else:
        rows = np.flatnonzero(feed.live)
        codes = operations(form, len(rows), 0, 0)
    if len(rows) == 0:
        return None
    table = department_table(feed, rows, codes)
    rng = stream(seed, "file", feed.plan.name, month)
    rates = profile.row_rates(form.channel)
    written = write(table, feed, output / label, rates, xlsx_rows=profile.xlsx_rows, rng=rng)
    year, number = int(label[:4]), int(label[5:])
    as_of = date(year, number, calendar.monthrange(year, number)[1]).isoformat()
    files = tuple(f"{label}/{path.name}" for path in written.files)
    return Load(feed.plan.name, as_of, "delta" if delta else "full", files, len(rows)), written.damage


def _loads_toml(loads: list[Load]) -> str:
    blocks = ["# The loads in the order they are to be ingested; files are relative to this one.\n"]
    blocks += [
        f'[[load]]\nsource = "{load.source}"\nas_of = {load.as_of}\nmode = "{load.mode}"\n'
        f"files = {json.dumps(list(load.files))}\nrows = {load.rows}\n"
        for load in loads
    ]
    return "\n".join(blocks)


def _quiet(_line: str) -> None:
    """Tell nobody."""
