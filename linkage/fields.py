"""The canonical fields: what every file is turned into before anything else looks at it.

A file whose columns carry these names needs no configuration. Every field is text, exactly as the source wrote it;
what it means is decided later by the field types in `matchers`. `source`, `source_record_id` and `as_of` come before
the fields of either entity and are not listed among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

Entity = Literal["legal_person", "natural_person"]
ENTITIES: tuple[Entity, ...] = get_args(Entity)


@dataclass(frozen=True)
class CanonicalField:
    """One canonical field in words.

    Attributes:
        name: column name.
        zh: what it holds, Chinese.
        en: what it holds, English.
        identifies: a value here alone says which subject the row is about (a name or an official number).
        is_number: an official number or telephone number, which spreadsheets like to damage.
        is_date: a date, possibly partial (`1980`, `1980-05`).
    """

    name: str
    zh: str
    en: str
    identifies: bool = False
    is_number: bool = False
    is_date: bool = False


_LEGAL_PERSON = (
    CanonicalField("name", "名称", "registered name", identifies=True),
    CanonicalField("former_names", "曾用名（以分号分隔）", "former names, separated by `;`"),
    CanonicalField("entity_kind", "主体类型（企业、个体工商户、事业单位、社会组织等）", "kind of subject"),
    CanonicalField("uscc", "统一社会信用代码", "unified social credit code", identifies=True, is_number=True),
    CanonicalField("registration_number", "工商注册号", "registration number", identifies=True, is_number=True),
    CanonicalField("organization_code", "组织机构代码", "organisation code", identifies=True, is_number=True),
    CanonicalField("tax_number", "纳税人识别号", "taxpayer number", identifies=True, is_number=True),
    CanonicalField("legal_rep_name", "法定代表人或经营者姓名", "name of the legal representative or operator"),
    CanonicalField("legal_rep_id_type", "法定代表人证件类型", "kind of document of the legal representative"),
    CanonicalField(
        "legal_rep_id_number", "法定代表人证件号码", "document number of the legal representative", is_number=True
    ),
    CanonicalField("address", "住所或经营场所", "registered or business address"),
    CanonicalField("phone", "联系电话", "telephone", is_number=True),
    CanonicalField("email", "电子邮箱", "e-mail"),
    CanonicalField("established_date", "成立日期", "date of establishment", is_date=True),
    CanonicalField("status", "登记状态", "registration status"),
)

_NATURAL_PERSON = (
    CanonicalField("name", "姓名", "name", identifies=True),
    CanonicalField("former_names", "曾用名（以分号分隔）", "former names, separated by `;`"),
    CanonicalField("id_type", "证件类型", "kind of document"),
    CanonicalField(
        "id_number",
        "证件号码（完整、十五位、脱敏或片段）",
        "document number: full, 15 digits, masked or a fragment",
        identifies=True,
        is_number=True,
    ),
    CanonicalField("birth_date", "出生日期", "date of birth", is_date=True),
    CanonicalField("sex", "性别", "sex"),
    CanonicalField("phone", "联系电话", "telephone", is_number=True),
    CanonicalField("address", "居住地址", "address of residence"),
    CanonicalField("household_address", "户籍地址", "address of household registration"),
    CanonicalField("employer_name", "工作单位", "employer"),
    CanonicalField("employer_uscc", "工作单位统一社会信用代码", "credit code of the employer", is_number=True),
    CanonicalField("ethnicity", "民族", "ethnic group"),
    CanonicalField("nationality", "国籍", "nationality"),
)

FIELDS: MappingProxyType[Entity, tuple[CanonicalField, ...]] = MappingProxyType(
    {"legal_person": _LEGAL_PERSON, "natural_person": _NATURAL_PERSON}
)
CANONICAL_FIELDS: MappingProxyType[Entity, tuple[str, ...]] = MappingProxyType(
    {entity: tuple(field.name for field in fields) for entity, fields in FIELDS.items()}
)
