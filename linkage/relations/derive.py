"""The relations of a run: gathers the claims of all kinds and makes the table that is published.

Runs when every entity type of the run has its ids and golden values, before the publish. A run of one entity type takes
the other's tables from the batch database, if they are those of the current release; if not, relations that need them
are taken over from the release, with both ends as they are called now.

Makes `relation_claim` (`golden_records.relations.settle_relations`) and `relation` (the catalog's columns).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from blocking.sql import quote
from eval.report.summary import RelationCount, UnresolvedCount
from golden_records.catalog.read import PreviousTables, previous_membership
from golden_records.catalog.store import Catalog
from golden_records.relations import EndTables, earlier_relations, settle_relations
from linkage.database import count, only_row
from linkage.entity_config import ID_PREFIX
from linkage.fields import ENTITIES, Entity
from linkage.relations.branches import find_parents
from linkage.relations.employers import find_employers
from linkage.relations.representatives import find_representatives
from linkage.relations.settings import Kind, RelationSettings
from linkage.relations.sides import Side, Unresolved, drop, make_claims, texts
from linkage.relations.successors import find_successors

RELATION, CLAIM = "relation", "relation_claim"
_EARLIER = "relation_earlier"
_OF_BOTH: tuple[Kind, ...] = ("legal_representative_of", "operator_of", "succeeds", "employed_by")
_OF_ORGANISATIONS: tuple[Kind, ...] = ("branch_of",)


@dataclass(frozen=True)
class Related:
    """What a run knows of relations.

    Attributes:
        table: the relations, to be published.
        relations: how many, by kind, basis and state.
        unresolved: what records say that leads to no one entity.
    """

    table: str
    relations: tuple[RelationCount, ...]
    unresolved: tuple[UnresolvedCount, ...]

    @property
    def rows(self) -> int:
        """The number of relations."""
        return sum(part.count for part in self.relations)


def relate(con: DuckDBPyConnection, catalog: Catalog, run: Sequence[Entity], settings: RelationSettings) -> Related:
    """Derive the relations.

    Args:
        con: the batch database, with the tables of the entity types that were run, up to their golden values.
        catalog: the store, before the publish.
        run: the entity types that were run.
        settings: the settings.
    """
    known = [e for e in ENTITIES if e in run or _is_of_release(con, catalog, e)]
    derived: set[Kind] = set()
    left: tuple[Unresolved, ...] = ()
    make_claims(con, CLAIM)
    people, organisations = Side.of("natural_person"), Side.of("legal_person")
    if len(known) == len(ENTITIES):
        derived |= set(_OF_BOTH)
        left += find_representatives(con, organisations, people, settings, claims=CLAIM)
    if "legal_person" in known:
        derived |= set(_OF_ORGANISATIONS)
        left += find_parents(con, organisations, claims=CLAIM)
    if len(known) == len(ENTITIES):
        left += find_successors(con, organisations, settings, claims=CLAIM)
        left += find_employers(con, organisations, people, claims=CLAIM)
    con.execute(f"delete from {quote(CLAIM)} where relation not in ({texts(settings.kinds)})")
    ends = EndTables(tuple(f"{entity}_entities" for entity in run))
    earlier_relations(catalog, con, ends, out=_EARLIER)
    settle_relations(con, claims=CLAIM, earlier=_EARLIER, out=RELATION)
    carried = set(settings.kinds) - derived
    con.execute(f"insert into {quote(RELATION)} by name from {_EARLIER} where relation in ({texts(carried)})")
    drop(con, (_EARLIER,))
    return Related(RELATION, _counts(con), _left(left, settings.kinds))


def _is_of_release(con: DuckDBPyConnection, catalog: Catalog, entity: Entity) -> bool:
    """Tell whether the batch database holds an entity type as the current release has it."""
    side = Side.of(entity)
    found = con.execute("select table_name from duckdb_tables() where database_name = current_database()").fetchall()
    if not set(side.tables) <= {name for (name,) in found}:
        return False
    released = PreviousTables("_relation_released", "_relation_released_entities")
    previous_membership(catalog, con, kind=ID_PREFIX[entity], out=released)
    (differ,) = only_row(
        con,
        f"select count(*) from {quote(released.previous)} p full join {quote(side.membership)} m using (record_id) "
        "where p.entity_id is distinct from m.entity_id",
    )
    empty = count(con, released.previous) == 0
    drop(con, (released.previous, released.entities))
    return not differ and not empty


def _counts(con: DuckDBPyConnection) -> tuple[RelationCount, ...]:
    rows = con.execute(f"""
select relation, basis, state, count(*)
from {quote(RELATION)}
group by all
order by all""").fetchall()
    return tuple(RelationCount(relation=r, basis=b, state=s, count=n) for r, b, s, n in rows)


def _left(left: Collection[Unresolved], kinds: Collection[str]) -> tuple[UnresolvedCount, ...]:
    return tuple(
        UnresolvedCount(relation=one.relation, reason=one.reason, count=one.count)
        for one in left
        if one.relation in kinds and one.count
    )
