"""`guiyi resolve`: which entity an identifier belongs to, in the current release.

An identifier answers `matched`, `none`, or `conflict` when two entities hold it. A retired entity id answers with the
surviving one. Values of natural persons are masked.
"""

from __future__ import annotations

from typing import Any

from golden_records.catalog.publish import current_release
from golden_records.catalog.read import Entity, by_identifier, entity, resolve_id
from golden_records.catalog.store import Catalog, open_catalog
from golden_records.entity_id import compact as compact_entity_id
from golden_records.entity_id import is_valid as is_entity_id
from linkage.commands.console import Console
from linkage.entity_config import load_entity_config
from linkage.masking import mask_values
from linkage.relations.shown import relation_lines, relations_now
from linkage.standardise import standardise_row
from linkage.workspace import Workspace


def show_resolution(workspace: Workspace, value: str, *, scheme: str | None, console: Console) -> int:
    """Print the entity that an identifier or an entity id belongs to."""
    with open_catalog(workspace.catalog, read_only=True) as catalog:
        answer = resolve(catalog, value, scheme=scheme)
    console.result(_text(answer), answer)
    return 0


def resolve(catalog: Catalog, value: str, *, scheme: str | None = None) -> dict[str, Any]:
    """Resolve an identifier or an entity id.

    Args:
        catalog: the store.
        value: an identifier as written anywhere, or an entity id.
        scheme: the identifier's scheme; every scheme the value fits if absent.

    Returns:
        status (matched, none, conflict), entity_id, link_basis, evidence, candidates, release, the golden values, and
        the relations to other entities.
    """
    release = current_release(catalog)
    if scheme in (None, "entity_id") and is_entity_id(value):
        return _by_entity_id(catalog, value, release)
    found: dict[str, str] = {}
    for kind, text in identifier_forms(value):
        if scheme in (None, kind):
            for row in by_identifier(catalog, kind, text):
                if row["valid"]:
                    found.setdefault(row["entity_id"], kind)
    answer: dict[str, Any] = {"status": "none", "entity_id": None, "link_basis": None, "release": release}
    if len(found) == 1:
        ((entity_id, kind),) = found.items()
        held = entity(catalog, entity_id)
        answer |= {"status": "matched", "entity_id": entity_id, "link_basis": "identifier"}
        answer |= {"evidence": [f"{kind} equal"], **_golden(held), **relations_now(catalog, entity_id)}
    elif found:
        answer |= {
            "status": "conflict",
            "candidates": sorted(found),
            "evidence": [f"{kind} held by {entity_id}" for entity_id, kind in sorted(found.items())],
        }
    return answer


def identifier_forms(value: str) -> list[tuple[str, str]]:
    """Return the (scheme, value) pairs under which the catalog may hold an identifier, as standardising reads it.

    >>> identifier_forms("91440300708461136t")[0]
    ('uscc', '91440300708461136T')
    """
    forms: list[tuple[str, str]] = []
    legal = load_entity_config("legal_person")
    for column in ("uscc", "registration_number", "organization_code", "tax_number"):
        read = standardise_row({column: value}, legal)
        for scheme in ("uscc", "registration_number", "organization_code", "tax_number"):
            text = read[f"code_{scheme}"]
            if text and (column == scheme or scheme == "uscc"):
                forms.append((scheme, text))
    person = standardise_row({"id_number": value}, load_entity_config("natural_person"))
    if person["id_value"]:
        forms.append((person["id_scheme"], person["id_value"]))
    return list(dict.fromkeys(forms))


def _by_entity_id(catalog: Catalog, value: str, release: int) -> dict[str, Any]:
    resolution = resolve_id(catalog, value)
    answer: dict[str, Any] = {"status": "none", "entity_id": None, "link_basis": None, "release": release}
    if resolution is None:
        return answer
    answer["asked"] = compact_entity_id(value)
    answer["state"] = resolution.state
    if resolution.state == "retired":
        return answer
    held = entity(catalog, resolution.entity_id)
    answer |= {"status": "matched", "entity_id": resolution.entity_id, **_golden(held)}
    return answer | relations_now(catalog, resolution.entity_id)


def _golden(held: Entity | None) -> dict[str, Any]:
    if held is None:
        return {}
    values = {k: v for k, v in held.golden.items() if v is not None and k not in ("entity_id", "anchor")}
    shown = mask_values(held.entity_type, values)
    return {"entity_type": held.entity_type, "golden": shown, "records": held.golden.get("records")}


def _text(answer: dict[str, Any]) -> str:
    if answer["status"] == "none":
        return f"none: no entity of release {answer['release']} holds it"
    if answer["status"] == "conflict":
        return f"conflict: held by {', '.join(answer['candidates'])} in release {answer['release']}"
    lines = [f"{answer['entity_id']} ({answer.get('entity_type', '')}), release {answer['release']}"]
    if answer.get("state") == "redirected":
        lines[0] += f"; {answer['asked']} was merged into it"
    lines += [f"  {field:<22}{value}" for field, value in answer.get("golden", {}).items()]
    lines += relation_lines(answer)
    return "\n".join(lines)
