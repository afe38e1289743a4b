"""The batch database of the last run, attached beside the one that a run makes.

It is only a shortcut: a missing or damaged one, or one of another program, is done without. A run that takes over
begins with a copy of it (`linkage.increment.carried`) and changes that; here everything is as the last run left it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from duckdb import DuckDBPyConnection
from duckdb import Error as DuckDBError

from blocking.sql import quote
from linkage.database import only_row
from linkage.entity_config import EntityConfig
from linkage.increment.made_by import keyer, resolver, scorer, standardiser
from linkage.model.parameters import Model
from matchers.levels import literal

_ALIAS = "before"
_NEEDED = (
    *("made_by", "load", "raw", "records", "profiles", "profile_record", "named", "keys", "scored", "judged"),
    "membership",
)


@dataclass(frozen=True)
class Before:
    """The batch database of the last run, attached.

    Attributes:
        entity: the entity type.
        standardised: its records were standardised by this program and configuration.
    """

    entity: str
    standardised: bool

    def table(self, name: str) -> str:
        """Return the quoted name of a table of the last run."""
        return f"{_ALIAS}.{quote(f'{self.entity}_{name}')}"

    def columns(self, con: DuckDBPyConnection, name: str) -> list[str]:
        """Return the columns of a table of the last run, in order."""
        return [row[0] for row in con.execute(f"describe {self.table(name)}").fetchall()]

    def holds(self, con: DuckDBPyConnection, *names: str) -> bool:
        """Tell whether the last run left tables of these names."""
        return {f"{self.entity}_{name}" for name in names} <= _tables(con)

    def made_by(self, con: DuckDBPyConnection, what: str) -> str | None:
        """Return a column of the last run's `made_by`, None if it has none."""
        if what not in self.columns(con, "made_by"):
            return None
        (made,) = only_row(con, f"select {quote(what)} from {self.table('made_by')}")
        return None if made is None else str(made)

    @contextmanager
    def links(self, con: DuckDBPyConnection) -> Iterator[tuple[str, str]]:
        """Give views of the judged pairs and of record_id, profile_id as the last run made them.

        Decisions applied since (`linkage.at_once`) have changed both; what stood there before is in `run_link` and
        `run_member`, so that a month links the same whether a decision was applied at once or by the month itself.
        """
        links, members = (f"last_{self.entity}_{name}" for name in ("links", "members"))
        judged, record = self.table("judged"), self.table("profile_record")
        if self.holds(con, "run_link", "run_member"):
            changed, moved = self.table("run_link"), self.table("run_member")
            judged = f"""(
    select left_id, right_id, verdict
    from {judged} j
    anti join {changed} c using (left_id, right_id)
    union all
    select left_id, right_id, 'auto'
    from {changed}
    where linked)"""
            record = f"""(
    select record_id, profile_id from {record} anti join {moved} using (record_id)
    union all
    select record_id, profile_id from {moved})"""
        con.execute(f"create or replace temp view {quote(links)} as select left_id, right_id, verdict from {judged}")
        con.execute(f"create or replace temp view {quote(members)} as select record_id, profile_id from {record}")
        try:
            yield links, members
        finally:
            for view in (links, members):
                con.execute(f"drop view {quote(view)}")


@contextmanager
def batch_before(con: DuckDBPyConnection, path: Path | None) -> Iterator[None]:
    """Attach the last run's batch database, read-only, if there is one that can be read."""
    attached = False
    if path is not None and path.exists():
        try:
            con.execute(f"attach {literal(str(path))} as {_ALIAS} (read_only)")
            attached = True
        except DuckDBError:
            attached = False  # of another version, or damaged: it is only a shortcut
    try:
        yield
    finally:
        if attached:
            con.execute(f"detach {_ALIAS}")


def look_before(con: DuckDBPyConnection, config: EntityConfig) -> Before | None:
    """Return what the attached database holds of an entity type, if anything."""
    entity = config.entity
    if not {f"{entity}_{name}" for name in _NEEDED} <= _tables(con):
        return None
    found = Before(entity, standardised=False)
    return Before(entity, found.made_by(con, "standardised_by") == standardiser(config))


def keys_hold(con: DuckDBPyConnection, config: EntityConfig, before: Before) -> bool:
    """Tell whether the last run made blocking keys by the same program and rules."""
    return before.made_by(con, "keyed_by") == keyer(config)


def scores_hold(con: DuckDBPyConnection, config: EntityConfig, model: Model, before: Before, frequencies: str) -> bool:
    """Tell whether the last run scored by the same program, configuration, model and term frequencies."""
    return before.made_by(con, "scored_by") == scorer(config, model, frequencies)


def verdicts_hold(con: DuckDBPyConnection, config: EntityConfig, model: Model, before: Before) -> bool:
    """Tell whether the last run judged pairs by the same program, configuration and model."""
    return before.made_by(con, "resolved_by") == resolver(config, model)


def _tables(con: DuckDBPyConnection) -> set[str]:
    rows = con.execute("select table_name from duckdb_tables() where database_name = ?", [_ALIAS]).fetchall()
    return {name for (name,) in rows}
