"""The one error of the identifier schemes.

In: a reason. Out: an exception that says which test a number failed, never the number itself.
"""

from __future__ import annotations

from typing import Final, Literal

Code = Literal[
    "length",
    "alphabet",
    "format",
    "check_digit",
    "inner_check_digit",
    "legacy_check",
    "date",
    "region",
    "country",
    "scheme",
    "placeholder",
    "masked",
    "spreadsheet",
]

_WORDS: Final[dict[str, str]] = {
    "length": "the number has the wrong length",
    "alphabet": "the number holds a character its scheme does not use",
    "format": "the number does not have the shape of its scheme",
    "check_digit": "the check character does not fit the number",
    "inner_check_digit": "the check character of the organisation code inside does not fit",
    "legacy_check": "only the outer check character fails, as in codes issued early in Xiamen",
    "date": "the date inside the number does not exist",
    "region": "the number starts with no province of the country",
    "country": "the country inside the number does not exist",
    "scheme": "the number belongs to another scheme",
    "placeholder": "the text stands for a missing number",
    "masked": "part of the number is hidden",
    "spreadsheet": "a spreadsheet has rounded the number",
}


class InvalidIdentifier(ValueError):  # noqa: N818  (the name is part of the public interface)
    """A text is not a valid number of a scheme.

    Attributes:
        code: which test failed; stable, used by reports and rules.
    """

    def __init__(self, code: Code) -> None:
        super().__init__(_WORDS[code])
        self.code: Code = code
