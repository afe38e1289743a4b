"""The settings of the review desk: the table `[desk]` of `guiyi.toml`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class DeskSettings(BaseModel):
    """How the review desk works.

    Attributes:
        session_minutes: how long one is signed in at most.
        shown_minutes: how long persons of one case are shown in full after a purpose was stated.
        request_seconds: longest a page may take; applying a ruling is part of it.
        page_cases: cases of one page of the queue.
        spot_checks: links of each entity type that a run draws at random for a person to look at.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    session_minutes: Annotated[int, Field(ge=1, le=1440)] = 480
    shown_minutes: Annotated[int, Field(ge=1, le=240)] = 15
    request_seconds: Annotated[float, Field(gt=0)] = 120.0
    page_cases: Annotated[int, Field(ge=5, le=500)] = 50
    spot_checks: Annotated[int, Field(ge=0, le=10_000)] = 0
