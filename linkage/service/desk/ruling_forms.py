"""A ruling as it comes from a page, and what became of it as the next page's address carries it."""

from __future__ import annotations

from starlette.datastructures import FormData

from golden_records.opinions import CHOICES, Choice
from linkage.review.errors import DeskError
from linkage.review.forms import Form, Outcome
from linkage.service.desk.visitor import text_of


def form_from(data: FormData) -> Form:
    """Return a ruling as it was entered.

    Raises:
        DeskError: no ruling was chosen, or the form is not one of the desk.
    """
    request_key = text_of(data, "request_key")
    if not 16 <= len(request_key) <= 64:
        raise DeskError("invalid", "表单不完整，请重新打开页面。", "the form is not complete; open the page anew.")
    return Form(
        ruling=choice_of(text_of(data, "ruling")),
        reason=text_of(data, "reason"),
        note=text_of(data, "note").strip() or None,
        version=text_of(data, "version"),
        request_key=request_key,
        record_id=text_of(data, "record") or None,
    )


def told(outcome: Outcome) -> str:
    """Return what became of a ruling, as the address of the next page carries it."""
    if outcome.repeated:
        return f"repeated-{outcome.state}"
    if isinstance(outcome.effect, str):
        return f"{outcome.state}-later"
    return outcome.state


def choice_of(text: str) -> Choice:
    """Return a ruling by its name.

    Raises:
        DeskError: there is none of that name.
    """
    found: Choice | None = next((one for one in CHOICES if one == text), None)
    if found is None:
        raise DeskError("invalid", "请先选择一个结论。", "choose a ruling first.")
    return found
