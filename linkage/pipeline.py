"""The linkage of one entity type: the list of steps, in one place.

Each step reads named tables and makes one; the tables are prefixed with the entity type, so that
`natural_person_pairs` and `legal_person_pairs` stand side by side in one batch database. `link` (one-off) and `run`
(monthly) both go through here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import pyarrow as pa
from duckdb import DuckDBPyConnection

from blocking.changed_pairs import KeyChange, make_changed_pairs
from blocking.keys import make_keys
from blocking.pairs import RuleCount, count_pairs, make_pairs
from blocking.sql import quote
from golden_records.decisions import Decision
from linkage.clusters.clustering import cluster
from linkage.clusters.components import make_components
from linkage.clusters.hysteresis import carry_links, keep_links
from linkage.clusters.only_candidates import link_only_candidates
from linkage.database import columns_of, count, in_memory, only_row
from linkage.entity_config import EntityConfig
from linkage.increment.before import Before, keys_hold, look_before, scores_hold, verdicts_hold
from linkage.increment.known_values import known_values
from linkage.increment.made_by import hash_of_tables, write_made_by
from linkage.increment.rows import delete_rows
from linkage.increment.taken import (
    PairChanges,
    ProfileChanges,
    find_pair_changes,
    take_pairs,
    take_profiles,
    take_records,
)
from linkage.increment.touched import NEEDED, PREFIX, Touching, drop_tables, extract, find_touched, put_back_clusters
from linkage.model.frequencies import load_frequencies, make_frequencies
from linkage.model.parameters import Model, base_model, load_model
from linkage.model.scoring import score
from linkage.model.verdicts import judge
from linkage.profiles import make_profiles
from linkage.rulings.constraints import ConstraintCounts, ConstraintTables, make_constraints, named_records
from linkage.stages import StageClock
from linkage.standardise import standardise


@dataclass(frozen=True)
class LinkageOptions:
    """How to run, without effect on the result except for the model chosen.

    Attributes:
        model: a model file to use; absent: train if the data carries enough labels, else the shipped model.
        frequencies: a file of term frequencies to use, with `model`; absent: they are counted.
        training: `auto` as said above, `always`, or `never`.
        processes: worker processes for standardising.
        changed: table of what has changed about records since the last run (`linkage.increment.taken.find_changed`),
            whose tables the database still has; absent: everything is computed anew.
        keep: links of the last run may be kept (hysteresis); false where they are not those of the last release.
        few: only the components in which anything is new are resolved again; the last run's tables must be those of the
            newest release.
    """

    model: Path | None = None
    frequencies: Path | None = None
    training: Literal["auto", "always", "never"] = "auto"
    processes: int = field(default_factory=lambda: os.cpu_count() or 1)
    changed: str | None = None
    keep: bool = True
    few: bool = False


@dataclass
class Linkage:
    """The state of one entity type's linkage: what the steps share.

    Attributes:
        con: DuckDB connection.
        config: the entity type.
        options: how to run.
        clock: measures the steps.
        model: the model in use, once chosen.
        model_origin: `trained`, `given` or `shipped`.
        rule_counts: what each blocking rule contributed.
        frequencies: term-frequency tables by column.
        decisions: people's rulings in force.
        constraints: what became of the decisions; `None` if there are none.
        before: the last run, if its batch database is attached.
        profile_changes: what is other about profiles than in the last run, whose profiles are taken over.
        pair_changes: what is other about scored pairs than in the last run, whose scores are taken over.
        few_pairs: only pairs of changed blocks were made anew, and the tables of what changed in them are there.
        part: the linkage of what is resolved again, where that is not everything (`linkage.increment.touched`).
        prefix: what the names of its tables have after the entity type.
        revalued: table of the entity_id of those whose golden values were made anew; absent: all.
    """

    con: DuckDBPyConnection
    config: EntityConfig
    options: LinkageOptions
    clock: StageClock
    model: Model | None = None
    model_origin: str = ""
    rule_counts: list[RuleCount] = field(default_factory=list)
    frequencies: dict[str, str] = field(default_factory=dict)
    decisions: Sequence[Decision] = ()
    constraints: ConstraintCounts | None = None
    before: Before | None = None
    profile_changes: ProfileChanges | None = None
    pair_changes: PairChanges | None = None
    few_pairs: bool = False
    part: Linkage | None = None
    prefix: str = ""
    revalued: str | None = None

    @property
    def taking(self) -> Before | None:
        """The last run, if its standardised records are taken over."""
        return self.before if self.options.changed is not None else None

    def table(self, name: str) -> str:
        """Return the name of a table of this entity type."""
        return f"{self.config.entity}_{self.prefix}{name}"

    @property
    def trained(self) -> Model:
        """The model, once chosen."""
        assert self.model is not None
        return self.model


Step = Callable[[Linkage], int]
# New records below which starting workers takes longer than standardising their values here.
_WORTH_WORKERS = 150_000
# Share of the profiles that came or went above which making all pairs anew takes less.
_FEW_PROFILES = 0.15
_APPLIED = pa.schema([("decision_id", pa.int64())])


def _standardise(run: Linkage) -> int:
    con, config, raw, records = run.con, run.config, run.table("raw"), run.table("records")

    run.before = look_before(con, config)
    if run.taking is None or run.options.changed is None:
        standardise(con, config, raw=raw, out=records, processes=run.options.processes)
    else:
        rest, through = run.table("raw_changed"), known_values(con, config, run.taking)
        take_records(con, raw=raw, changed=run.options.changed, records=records, out=rest)
        processes = run.options.processes if count(con, rest) >= _WORTH_WORKERS else 1
        standardise(con, config, raw=rest, out=records, processes=processes, through=through, append=True)
        con.execute(f"drop table {quote(rest)}")
    return count(con, records)


def _add_rest(con: DuckDBPyConnection, table: str, rest: str, fresh: Callable[[str, str], None]) -> None:
    """Add to what was taken over what is left to compute: `fresh` makes a table from that of the rest."""
    made = f"{table}_fresh"
    with in_memory(con):
        fresh(rest, made)
    con.execute(f"insert into {quote(table)} by name select * from {quote(made)}")
    for done in (made, rest):
        con.execute(f"drop table {quote(done)}")


def _profile(run: Linkage) -> int:
    """Make the profiles; a record that a decision names is a profile of its own."""
    con, named, records = run.con, run.table("named"), run.table("records")
    profiles, members = run.table("profiles"), run.table("profile_record")
    named_records(con, run.decisions, out=named)
    if run.taking is None or run.options.changed is None:
        own = named if run.decisions else None
        make_profiles(con, run.config, records=records, profiles=profiles, members=members, own=own)
    else:
        changes = run.profile_changes = ProfileChanges(*map(run.table, ("appeared", "vanished", "altered")))
        take_profiles(
            con,
            run.config,
            run.taking,
            records=records,
            changed=run.options.changed,
            named=named,
            profiles=profiles,
            members=members,
            out=changes,
        )
    constrain(run)
    return count(con, profiles)


def constrain(run: Linkage) -> None:
    """Make must_link, cannot_link, and `applied` (decision_id): the decisions that the run applies."""
    tables = ConstraintTables(run.table("must_link"), run.table("cannot_link"))
    members = run.table("profile_record")
    found = make_constraints(run.con, run.decisions, named=run.table("named"), members=members, out=tables)
    run.constraints = found if run.decisions else None
    run.con.register("applied_given", pa.table({"decision_id": [d.decision_id for d in run.decisions]}, _APPLIED))
    run.con.execute(f"create or replace table {quote(run.table('applied'))} as select decision_id from applied_given")
    run.con.unregister("applied_given")


def _key(run: Linkage) -> int:
    con, profiles, keys = run.con, run.table("profiles"), run.table("keys")
    types = columns_of(con, profiles)

    def fresh(rows: str, made: str) -> None:
        make_keys(con, run.config.blocking, profiles=rows, types=types, out=made)

    if run.taking is None or not keys_hold(con, run.config, run.taking):
        fresh(profiles, keys)
    else:
        delete_rows(con, quote(keys), wanted=quote(run.table("vanished")), key="profile_id")
        _add_rest(con, keys, run.table("appeared"), fresh)
    return count(con, keys)


def _pair(run: Linkage) -> int:
    con, rules, keys, pairs = run.con, run.config.blocking, run.table("keys"), run.table("pairs")
    run.few_pairs = _change_pairs(run)
    if run.few_pairs:
        run.rule_counts = count_pairs(con, rules, keys=keys, pairs=pairs)
    else:
        run.rule_counts = make_pairs(con, rules, keys=keys, out=pairs)
    return count(con, pairs)


def _change_pairs(run: Linkage) -> bool:
    """Bring the last run's pairs to this run's, unless that takes longer; make tables of those that changed."""
    con, rules, before, keys = run.con, run.config.blocking, run.taking, run.table("keys")
    if before is None or run.profile_changes is None or not keys_hold(con, run.config, before):
        return False
    altered = quote(run.profile_changes.altered)
    (moved,) = only_row(con, f"select count(*) from {altered} where appeared or vanished")
    if moved > _FEW_PROFILES * count(con, run.table("profiles")) or not before.holds(con, "pairs"):
        return False

    def of(source: str, state: str) -> str:
        wanted = f"(select profile_id from {altered} where {state})"
        return f"(select k.* from {source} k semi join {wanted} using (profile_id))"

    was, now = before.table("keys"), quote(keys)
    change = KeyChange(was, coming=of(now, "appeared"), going=of(was, "vanished"))
    changed, found, pairs = (run.table(name) for name in ("pairs_changed", "pairs_found", "pairs"))
    with in_memory(con):
        make_changed_pairs(con, rules, change, after=now, changed=changed, out=found)
    delete_rows(con, quote(pairs), wanted=quote(changed), key="left_id, right_id")
    con.execute(f"insert into {quote(pairs)} by name select * from {quote(found)}")
    return True


def _choose_model(run: Linkage) -> int:
    options = run.options
    if options.model is not None:
        run.model, run.model_origin = load_model(run.config, options.model), "given"
        return 0
    from linkage.model.training import label_pairs, train  # Splink takes long to load

    labels = label_pairs(run.con, run.config, run.table("profiles"))
    enough = labels >= run.config.training.minimum_label_pairs
    if options.training == "always" or (options.training == "auto" and enough):
        run.model = train(run.con, run.config, profiles=run.table("profiles"), base=base_model(run.config))
        run.model_origin = "trained"
    else:
        run.model, run.model_origin = load_model(run.config), "shipped"
    return labels


def _count_values(run: Linkage) -> int:
    prefix = f"{run.config.entity}_frequency"
    kept = run.options.frequencies
    if kept is not None and kept.exists():
        run.frequencies = dict(load_frequencies(run.con, run.config, kept, prefix=prefix))
    profiles, known = run.table("profiles"), run.frequencies.keys()
    counted = make_frequencies(run.con, run.config, run.trained, profiles=profiles, prefix=prefix, known=known)
    run.frequencies |= counted
    return sum(count(run.con, table) for table in run.frequencies.values())


def _score(run: Linkage) -> int:
    """Score the candidate pairs, and against themselves the profiles of several records without an identifier."""
    con, config, pairs, out = run.con, run.config, run.table("scoring_pairs"), run.table("scored")
    con.execute(f"""
create or replace view {quote(pairs)} as
select left_id, right_id, rule, rules from {quote(run.table("pairs"))}
union all
{with_themselves(config, quote(run.table("profiles")))}""")
    digest = hash_of_tables(con, [run.frequencies[column] for column in sorted(run.frequencies)])
    write_made_by(con, config, run.trained, digest, out=run.table("made_by"))

    def fresh(rows: str, made: str) -> None:
        profiles = run.table("profiles")
        score(con, config, run.trained, profiles=profiles, pairs=rows, frequencies=run.frequencies, out=made)

    if run.taking is None or not scores_hold(con, config, run.trained, run.taking, digest):
        fresh(pairs, out)
    else:
        changes = run.pair_changes = PairChanges(*(run.table(f"pairs_{name}") for name in ("gone", "otherwise", "new")))
        if run.few_pairs:
            pairs, among = _few_scoring_pairs(run)
            find_pair_changes(con, pairs=pairs, scored=out, out=changes, among=among)
        else:
            find_pair_changes(con, pairs=pairs, scored=out, out=changes)
        take_pairs(con, table=out, changes=changes)
        with in_memory(con):
            fresh(changes.new, f"{out}_fresh")
        con.execute(f"insert into {quote(out)} by name select * from {quote(f'{out}_fresh')}")
    return count(con, out)


def with_themselves(config: EntityConfig, profiles: str) -> str:
    """Return the query of the pairs of profiles of several records without an identifier with themselves."""
    unidentified = " and ".join(f"{quote(column)} is null" for column in config.clustering.exclusive)
    return f"""
select profile_id, profile_id, {len(config.blocking)}, 0
from {profiles}
where records > 1 and {unidentified}"""


def _few_scoring_pairs(run: Linkage) -> tuple[str, str]:
    """Make the tables of the pairs to be scored that may be new, and of all that may be others; return their names."""
    assert run.profile_changes is not None
    altered = quote(run.profile_changes.altered)
    candidates, among = run.table("scoring_pairs_found"), run.table("scoring_pairs_changed")
    profiles = f"(select p.* from {quote(run.table('profiles'))} p semi join {altered} using (profile_id))"
    run.con.execute(f"""
create or replace temp view {quote(candidates)} as
select left_id, right_id, rule, rules from {quote(run.table("pairs_found"))}
union all
{with_themselves(run.config, profiles)}""")
    run.con.execute(f"""
create or replace temp view {quote(among)} as
select left_id, right_id from {quote(run.table("pairs_changed"))}
union all
select profile_id, profile_id from {altered}""")
    return candidates, among


def _judge(run: Linkage) -> int:
    """Judge the pairs, or only those of components in which anything is new where the others' verdicts hold."""
    con, config, changes = run.con, run.config, run.pair_changes
    scored, judged = run.table("scored"), run.table("judged")
    fresh = f"{scored}_fresh"
    if changes is None or not _others_hold(run):
        judge(con, config, scored=scored, profiles=run.table("profiles"), out=judged)
        con.execute(f"drop table if exists {quote(fresh)}")
        return count(con, judged)
    with in_memory(con):
        judge(con, config, scored=fresh, profiles=run.table("profiles"), out=run.table("judged_fresh"))
        con.execute(f"drop table {quote(fresh)}")
        take_pairs(con, table=judged, changes=changes)
        return _take_part(run)


def _others_hold(run: Linkage) -> bool:
    """Tell whether what the last run made of components in which nothing is new is what this one would."""
    before = run.taking
    return (
        before is not None
        and run.options.few
        and run.options.keep
        and verdicts_hold(run.con, run.config, run.trained, before)
        and before.holds(run.con, *NEEDED)
    )


def touching(run: Linkage) -> Touching:
    """Return the names of the tables of a run and of its part."""
    assert run.before is not None
    return Touching(run.con, run.config, run.before)


def drop_part(run: Linkage) -> None:
    """Drop the tables of what was resolved again, if that was not everything."""
    if run.part is not None:
        drop_tables(touching(run))


def _take_part(run: Linkage) -> int:
    """Make the linkage of the components in which anything is new, its pairs judged; return how many pairs."""
    assert run.profile_changes is not None
    assert run.pair_changes is not None
    assert run.options.changed is not None
    find_touched(
        touching(run),
        altered=run.profile_changes.altered,
        pairs=run.pair_changes,
        judged=run.table("judged_fresh"),
        changed=run.options.changed,
    )
    extract(touching(run), judged=run.table("judged_fresh"))
    run.part = replace(run, prefix=PREFIX, profile_changes=None, pair_changes=None)
    return count(run.con, run.part.table("judged"))


def _keep(run: Linkage) -> int:
    """Keep links of the last run whose weight has not fallen far."""
    if run.part is not None:
        return keep_linked(run.part)
    if run.before is None or not run.options.keep:
        return 0
    con, kept, members = run.con, run.table("kept"), run.table("profile_record")
    with run.before.links(con) as (last_judged, last_members):
        carry_links(con, last_judged=last_judged, last_members=last_members, members=members, out=kept)
    return keep_linked(run)


def keep_linked(run: Linkage) -> int:
    """Keep the links named by the table `kept`."""
    return keep_links(run.con, run.config, judged=run.table("judged"), kept=run.table("kept"))


def _single_out(run: Linkage) -> int:
    if run.part is not None:
        return _single_out(run.part)
    return link_only_candidates(run.con, run.config, judged=run.table("judged"), profiles=run.table("profiles"))


def _cluster(run: Linkage) -> int:
    if run.part is not None:
        with in_memory(run.con):
            _cluster(run.part)
        put_back_clusters(touching(run), judged=run.table("judged_fresh"))
        run.con.execute(f"drop table {quote(run.table('judged_fresh'))}")
        return count(run.con, run.table("clusters"))
    cluster(
        run.con,
        run.config,
        judged=run.table("judged"),
        profiles=run.table("profiles"),
        members=run.table("profile_record"),
        cannot_link=run.table("cannot_link"),
        must_link=run.table("must_link"),
        clusters=run.table("clusters"),
        refused=run.table("refused"),
    )
    make_components(
        run.con, run.config, judged=run.table("judged"), must_link=run.table("must_link"), out=run.table("component")
    )
    return count(run.con, run.table("clusters"))


# What makes clusters of scored pairs, for a run that has the table `kept` already.
RESOLVING: tuple[Step, ...] = (_judge, keep_linked, _single_out, _cluster)

STEPS: tuple[tuple[str, Step], ...] = (
    ("standardise", _standardise),
    ("profile", _profile),
    ("key", _key),
    ("pair", _pair),
    ("model", _choose_model),
    ("frequencies", _count_values),
    ("score", _score),
    ("judge", _judge),
    ("keep", _keep),
    ("single out", _single_out),
    ("cluster", _cluster),
)


def link_records(
    con: DuckDBPyConnection,
    config: EntityConfig,
    options: LinkageOptions,
    clock: StageClock,
    *,
    decisions: Sequence[Decision] = (),
) -> Linkage:
    """Run every step on the table `<entity>_raw`.

    Args:
        con: DuckDB connection; the table must hold the records in force (see `linkage.ingest`).
        config: the entity type.
        options: how to run.
        clock: measures the steps.
        decisions: people's rulings in force.

    Returns:
        The linkage, with its tables: records, profiles, profile_record, keys, pairs, scored, judged,
        clusters, refused, component.
    """
    run = Linkage(con, config, options, clock, decisions=decisions)
    for name, step in STEPS:
        with clock.stage(name, config.entity) as stage:
            stage.rows = step(run)
    return run
