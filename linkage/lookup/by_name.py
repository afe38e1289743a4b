"""Legal persons by a name alone, for a person who picks: alike is enough, nothing is matched by it."""

from __future__ import annotations

from linkage.lookup.candidates import find_candidates
from linkage.lookup.snapshot import LookupUnavailableError, Snapshot
from linkage.standardise import standardise_row


def legal_persons_named(snapshot: Snapshot, name: str, most: int) -> tuple[str, ...]:
    """Return the legal persons of a name, the likeliest first; none where the release cannot be asked by name."""
    try:
        model = snapshot.model("legal_person")
    except LookupUnavailableError:
        return ()
    scored = find_candidates(snapshot, model, standardise_row({"name": name}, model.config)).profiles
    alike = [one for one in scored if any(o.comparison == "name" and o.weight > 0 for o in one.score.comparisons)]
    ordered = sorted(alike, key=lambda one: (-one.score.weight, one.profile_id))
    return tuple(dict.fromkeys(entity for one in ordered for entity in one.entity_ids))[:most]
