"""Roles, and what each may see. docs/service.md shows the same table; a test holds both equal.

Nobody sees a natural person unmasked without a role that may and a stated purpose. Whoever gives out tokens sees no
natural person at all: who may look and who looks are different people.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

Role = Literal["platform", "auditor", "lead_auditor", "data_team", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True)
class Permissions:
    """What a role may do.

    Attributes:
        natural_persons: see natural persons, masked.
        unmask: see them in full, with a stated purpose.
        whole_legal_persons: see every field of a legal person, not only the public ones.
        records: see which records an entity has, its history and its relations.
        metrics: read the service's metrics.
        desk: sign in at the review desk.
        rule: rule on cases there.
        settle: settle what two people see differently, revoke rulings of others, assign cases to others.
        trail: read the trail of everybody.
    """

    natural_persons: bool
    unmask: bool
    whole_legal_persons: bool
    records: bool
    metrics: bool
    desk: bool
    rule: bool
    settle: bool
    trail: bool


PERMISSIONS: MappingProxyType[Role, Permissions] = MappingProxyType(
    {
        "platform": Permissions(True, False, False, False, False, False, False, False, False),
        "auditor": Permissions(True, True, True, True, False, True, True, False, False),
        "lead_auditor": Permissions(True, True, True, True, False, True, True, True, True),
        "data_team": Permissions(True, False, True, True, True, True, False, False, False),
        "admin": Permissions(False, False, False, False, True, True, False, False, True),
    }
)
