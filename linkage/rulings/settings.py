"""What a workspace asks of people's decisions: the table `[decisions]` of `guiyi.toml`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from golden_records.decisions import Policy
from golden_records.ruling import Kind

Reason = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]

REASONS: tuple[Reason, ...] = (
    "source_confirmed",
    "document_seen",
    "objection_upheld",
    "typing_error",
    "number_reissued",
    "number_misused",
    "branch_or_parent",
    "twin_or_relative",
    "review",
    "other",
)


class DecisionSettings(BaseModel):
    """Settings for people's decisions.

    Attributes:
        reasons: codes a decision's reason may have, instead of the usual ones.
        two_people: kinds of decision that come into force only when a second person confirms them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    reasons: tuple[Reason, ...] = ()
    two_people: tuple[Kind, ...] = ()

    @property
    def known_reasons(self) -> tuple[Reason, ...]:
        """The codes a reason may have."""
        return self.reasons or REASONS

    @property
    def policy(self) -> Policy:
        """The settings as the store takes them."""
        return Policy(frozenset(self.known_reasons), frozenset(self.two_people))
