"""The words of an answer, Chinese and English; they hold no value of anybody."""

from __future__ import annotations

from types import MappingProxyType

from linkage.entity_config import EntityConfig
from linkage.lookup.answer import Language
from linkage.model.online import PairScore
from linkage.model.verdicts import BY_SCORE

_TEXTS = MappingProxyType(
    {
        "number_equal": ("{scheme}相同", "same {scheme}"),
        "entity_id": ("主体编号相同", "same entity id"),
        "entity_redirected": ("该主体编号已并入所答主体", "the entity id was merged into the one answered"),
        "several_holders": ("{schemes}对应不止一个主体", "more than one entity holds the {schemes}"),
        "number_and_rest": ("号码与其他信息不相符", "the number and the rest do not go together"),
        "number_unreadable": (
            "有号码无法识别（位数或校验不符、遮盖或残缺），未用于精确查询",
            "a number cannot be read (length, check character, masked or partial) and was not looked up",
        ),
        "value_unreadable": (
            "无法识别或只是占位，未作为依据：{fields}",
            "cannot be read, or is a placeholder, and was not taken into account: {fields}",
        ),
        "number_unheld": ("没有主体持有所给号码", "no entity holds the number given"),
        "other_number": ("但该主体另有不同的有效号码", "but the entity holds another valid number"),
        "near": ("信息相近，但不足以认定，须人工核对", "close, but not enough to decide: a person must look"),
        "several_near": (
            "有多个主体相近，不能认定是哪一个，须人工核对",
            "several entities come near, none can be singled out: a person must look",
        ),
        "only_candidate": ("没有其他候选主体", "no other entity comes into question"),
        "by_score": ("各项信息合计匹配权重 {weight}", "match weight of all parts together: {weight}"),
        "left_aside": (
            "符合下列条件的记录过多，未逐一比对：{rules}；请补充信息",
            "too many records share these and were not compared: {rules}; give more",
        ),
        "too_many_alike": (
            "信息完全相同的主体过多，未全部列出",
            "too many entities have exactly these values to list them all",
        ),
        "more_candidates": ("另有 {count} 个候选主体未列出", "{count} more candidates are not listed"),
    }
)


def says(language: Language, text: str, **parts: str) -> str:
    """Return a text in one language.

    >>> says("en", "number_equal", scheme="passport number")
    'same passport number'
    """
    return _TEXTS[text][0 if language == "zh" else 1].format(**parts)


def explained(config: EntityConfig, score: PairScore, language: Language) -> tuple[str, ...]:
    """Return what each comparison said, and what decided."""
    zh = language == "zh"
    titles = {c.name: c.title_zh if zh else c.title_en for c in config.comparison}
    colon = "：" if zh else ": "
    lines = [
        f"{titles[o.comparison]}{colon}{o.level.reason_zh if zh else o.level.reason_en}"
        for o in score.comparisons
        if not o.level.is_missing
    ]
    if score.verdict.rule == BY_SCORE:
        lines.append(says(language, "by_score", weight=f"{score.weight:.1f}"))
    else:
        rule = next(rule for rule in config.rule if rule.name == score.verdict.rule)
        lines.append(rule.reason_zh if zh else rule.reason_en)
    return tuple(lines)
