"""Relations of an entity as commands show them: the other entity with its name, natural persons masked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from golden_records.catalog.store import Catalog
from golden_records.relation_history import RelationStay, relation_stays
from linkage.masking import mask_value

SHOWN = 20


def names_of(catalog: Catalog, ids: Iterable[str], *, unmasked: bool) -> dict[str, str]:
    """Return the golden names of living entities, those of natural persons masked unless `unmasked`."""
    found = {}
    for entity_id in sorted(set(ids)):
        natural = entity_id.startswith("NP")
        table = "natural_person" if natural else "legal_person"
        row = catalog.row(f"select name from {table} where entity_id = ?", (entity_id,))
        if row is not None and row[0] is not None:
            found[entity_id] = mask_value("name", row[0]) if natural and not unmasked else str(row[0])
    return found


def relations_now(catalog: Catalog, entity_id: str) -> dict[str, Any]:
    """Return the relations of a living entity in the current release.

    Returns:
        `relations`: up to 20 of each kind and direction, current ones first; `relation_counts`: how many there are of
        each, if there are more. Empty if the entity has none.
    """
    lasting = [stay for stay in relation_stays(catalog, entity_id) if stay.until is None]
    if not lasting:
        return {}
    totals = Counter(_kind(stay, entity_id) for stay in lasting)
    shown: list[RelationStay] = []
    for kind in sorted(totals):
        ours = [stay for stay in lasting if _kind(stay, entity_id) == kind]
        shown += sorted(ours, key=lambda stay: (stay.state != "current", stay.other(entity_id)))[:SHOWN]
    names = names_of(catalog, (stay.other(entity_id) for stay in shown), unmasked=False)
    answer: dict[str, Any] = {"relations": [_as_dict(stay, entity_id, names) for stay in shown]}
    if len(shown) < len(lasting):
        answer["relation_counts"] = {" ".join(kind): n for kind, n in sorted(totals.items())}
    return answer


def relation_lines(answer: dict[str, Any]) -> list[str]:
    """Return the lines that show what `relations_now` returned."""
    lines = []
    for one in answer.get("relations", ()):
        arrow = "→" if one["direction"] == "to" else "←"
        period = f"{one['first_seen']} – {one['last_seen']}"
        named = one["name"] or ""
        lines.append(
            f"  {arrow} {one['relation']:<24}{one['entity_id']}  {named}  ({one['basis']}, {one['state']}, {period})"
        )
    for kind, n in answer.get("relation_counts", {}).items():
        lines.append(f"  {kind}: {n:,} in all")
    return lines


def _kind(stay: RelationStay, entity_id: str) -> tuple[str, str]:
    return ("to" if stay.entity_id == entity_id else "from"), stay.relation


def _as_dict(stay: RelationStay, entity_id: str, names: dict[str, str]) -> dict[str, Any]:
    other = stay.other(entity_id)
    return {
        "relation": stay.relation,
        "direction": _kind(stay, entity_id)[0],
        "entity_id": other,
        "name": names.get(other),
        "basis": stay.basis,
        "rule": stay.rule,
        "state": stay.state,
        "first_seen": stay.first_seen,
        "last_seen": stay.last_seen,
        "valid_from": stay.valid_from,
        "valid_to": stay.valid_to,
        "records": stay.records,
        "sources": stay.sources,
    }
