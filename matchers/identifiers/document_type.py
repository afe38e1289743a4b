"""What kind of document a source says a number belongs to.

In: the words or the code in the column "document type". Out: the name of a scheme as in `scheme.scheme_of`, `other`
for a document no scheme covers, or None when nothing is said. The number itself outranks this label: labels are often
defaults.

Source: document names in use; three-digit codes of GA/T 517 (the common ones).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from matchers.identifiers.cleaning import clean
from matchers.identifiers.placeholders import is_placeholder

_CODES: Final = {
    "111": "resident_id",
    "112": "resident_id",
    "113": "resident_id",
    "114": "military",
    "115": "military",
    "118": "military",
    "411": "passport",
    "412": "passport",
    "413": "passport",
    "414": "passport",
    "420": "passport",
    "421": "passport",
    "511": "taiwan_permit",
    "516": "hk_macau_permit",
    "553": "foreign_resident_card",
    "554": "residence_permit",
    "ID": "resident_id",
    "IDCARD": "resident_id",
    "ID_CARD": "resident_id",
    "RESIDENT_ID": "resident_id",
    "PASSPORT": "passport",
    "HKID": "hkid",
    "HK_MACAU_PERMIT": "hk_macau_permit",
    "TAIWAN_PERMIT": "taiwan_permit",
    "RESIDENCE_PERMIT": "residence_permit",
    "FOREIGN_RESIDENT_CARD": "foreign_resident_card",
    "MILITARY": "military",
    "MILITARY_ID": "military",
}

# The first rule whose words all occur decides, so narrow ones stand before wide ones.
_WORDS: Final = (
    (("往来港澳",), "other"),
    (("往来台湾",), "other"),
    (("前往港澳",), "other"),
    (("驾驶",), "other"),
    (("出生",), "other"),
    (("永久居留",), "foreign_resident_card"),
    (("外国人", "居留"), "foreign_resident_card"),
    (("居住证",), "residence_permit"),
    (("台胞",), "taiwan_permit"),
    (("台湾", "通行证"), "taiwan_permit"),
    (("回乡",), "hk_macau_permit"),
    (("港澳", "通行证"), "hk_macau_permit"),
    (("香港", "通行证"), "hk_macau_permit"),
    (("澳门", "通行证"), "hk_macau_permit"),
    (("来往内地",), "hk_macau_permit"),
    (("护照",), "passport"),
    (("香港", "身份证"), "hkid"),
    (("澳门", "身份证"), "other"),
    (("军",), "military"),
    (("士兵",), "military"),
    (("武警",), "military"),
    (("警官",), "military"),
    (("文职",), "military"),
    (("身份证",), "resident_id"),
    (("身份号码",), "resident_id"),
    (("户口",), "resident_id"),
)


@lru_cache(maxsize=4096)
def stated_scheme(label: str | None) -> str | None:
    """Return the scheme a label means, `other` for a document of no scheme, None for nothing said.

    >>> stated_scheme("居民身份证"), stated_scheme("港澳居民来往内地通行证"), stated_scheme("驾驶证")
    ('resident_id', 'hk_macau_permit', 'other')
    """
    text = clean(label) if label is not None else ""
    if not text:
        return None
    if text in _CODES:
        return _CODES[text]
    for words, scheme in _WORDS:
        if all(word in text for word in words):
            return scheme
    # Bare codes of unknown lists say nothing, nor do words for "nothing".
    return None if text.isascii() or is_placeholder(text) or "其他" in text else "other"
