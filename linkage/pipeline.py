"""The linkage of one entity type: the list of steps, in one place.

Each step reads named tables and makes one; the tables are prefixed with the entity type, so that
`natural_person_pairs` and `legal_person_pairs` stand side by side in one batch database. `link` (one-off) and `run`
(monthly) both go through here.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from duckdb import DuckDBPyConnection

from blocking.keys import make_keys
from blocking.pairs import RuleCount, make_pairs
from blocking.sql import quote
from linkage.clustering import cluster
from linkage.database import columns_of, count
from linkage.entity_config import EntityConfig
from linkage.model import Model, base_model, load_model
from linkage.only_candidates import link_only_candidates
from linkage.profiles import make_profiles
from linkage.scoring import make_term_frequencies, score
from linkage.stages import StageClock
from linkage.standardise import standardise
from linkage.training import label_pairs, train
from linkage.verdicts import judge


@dataclass(frozen=True)
class LinkageOptions:
    """How to run, without effect on the result except for the model chosen.

    Attributes:
        model: a model file to use; absent: train if the data carries enough labels, else the shipped model.
        training: `auto` as said above, `always`, or `never`.
        processes: worker processes for standardising.
    """

    model: Path | None = None
    training: Literal["auto", "always", "never"] = "auto"
    processes: int = field(default_factory=lambda: os.cpu_count() or 1)


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
        cannot_link: table of profile pairs that must stay apart, if any.
    """

    con: DuckDBPyConnection
    config: EntityConfig
    options: LinkageOptions
    clock: StageClock
    model: Model | None = None
    model_origin: str = ""
    rule_counts: list[RuleCount] = field(default_factory=list)
    frequencies: dict[str, str] = field(default_factory=dict)
    cannot_link: str | None = None

    def table(self, name: str) -> str:
        """Return the name of a table of this entity type."""
        return f"{self.config.entity}_{name}"

    @property
    def trained(self) -> Model:
        """The model, once chosen."""
        assert self.model is not None
        return self.model


Step = Callable[[Linkage], int]


def _standardise(run: Linkage) -> int:
    return standardise(
        run.con, run.config, raw=run.table("raw"), out=run.table("records"), processes=run.options.processes
    )


def _profile(run: Linkage) -> int:
    make_profiles(
        run.con,
        run.config,
        records=run.table("records"),
        profiles=run.table("profiles"),
        members=run.table("profile_record"),
    )
    return count(run.con, run.table("profiles"))


def _key(run: Linkage) -> int:
    types = columns_of(run.con, run.table("profiles"))
    make_keys(run.con, run.config.blocking, profiles=run.table("profiles"), types=types, out=run.table("keys"))
    return count(run.con, run.table("keys"))


def _pair(run: Linkage) -> int:
    run.rule_counts = make_pairs(run.con, run.config.blocking, keys=run.table("keys"), out=run.table("pairs"))
    return count(run.con, run.table("pairs"))


def _choose_model(run: Linkage) -> int:
    options = run.options
    if options.model is not None:
        run.model, run.model_origin = load_model(run.config, options.model), "given"
        return 0
    labels = label_pairs(run.con, run.config, run.table("profiles"))
    enough = labels >= run.config.training.minimum_label_pairs
    if options.training == "always" or (options.training == "auto" and enough):
        run.model = train(run.con, run.config, profiles=run.table("profiles"), base=base_model(run.config))
        run.model_origin = "trained"
    else:
        run.model, run.model_origin = load_model(run.config), "shipped"
    return labels


def _score(run: Linkage) -> int:
    """Score the candidate pairs, and against themselves the profiles of several records without an identifier."""
    run.frequencies = dict(
        make_term_frequencies(
            run.con,
            run.config,
            run.trained,
            profiles=run.table("profiles"),
            prefix=f"{run.config.entity}_frequency",
        )
    )
    unidentified = " and ".join(f"{quote(column)} is null" for column in run.config.clustering.exclusive)
    run.con.execute(f"""
create or replace view {quote(run.table("scoring_pairs"))} as
select left_id, right_id, rule, rules from {quote(run.table("pairs"))}
union all
select profile_id, profile_id, {len(run.config.blocking)}, 0
from {quote(run.table("profiles"))}
where records > 1 and {unidentified}""")
    score(
        run.con,
        run.config,
        run.trained,
        profiles=run.table("profiles"),
        pairs=run.table("scoring_pairs"),
        frequencies=run.frequencies,
        out=run.table("scored"),
    )
    return count(run.con, run.table("scored"))


def _judge(run: Linkage) -> int:
    judge(run.con, run.config, scored=run.table("scored"), profiles=run.table("profiles"), out=run.table("judged"))
    return count(run.con, run.table("judged"))


def _single_out(run: Linkage) -> int:
    return link_only_candidates(run.con, run.config, judged=run.table("judged"), profiles=run.table("profiles"))


def _cluster(run: Linkage) -> int:
    cluster(
        run.con,
        run.config,
        judged=run.table("judged"),
        profiles=run.table("profiles"),
        members=run.table("profile_record"),
        cannot_link=run.cannot_link,
        clusters=run.table("clusters"),
        refused=run.table("refused"),
    )
    return count(run.con, run.table("clusters"))


STEPS: tuple[tuple[str, Step], ...] = (
    ("standardise", _standardise),
    ("profile", _profile),
    ("key", _key),
    ("pair", _pair),
    ("model", _choose_model),
    ("score", _score),
    ("judge", _judge),
    ("single out", _single_out),
    ("cluster", _cluster),
)


def link_records(con: DuckDBPyConnection, config: EntityConfig, options: LinkageOptions, clock: StageClock) -> Linkage:
    """Run every step on the table `<entity>_raw`.

    Args:
        con: DuckDB connection; the table must hold the records in force (see `linkage.ingest`).
        config: the entity type.
        options: how to run.
        clock: measures the steps.

    Returns:
        The linkage, with its tables: records, profiles, profile_record, keys, pairs, scored, judged,
        clusters, refused.
    """
    run = Linkage(con, config, options, clock)
    for name, step in STEPS:
        with clock.stage(name, config.entity) as stage:
            stage.rows = step(run)
    return run
