"""The configuration of an entity type: its fields, comparisons, blocking, hard rules and thresholds.

Read once from TOML, checked whole, frozen. Every column that a rule, a key or a comparison names must exist; an unknown
key is an error that lists the known ones. `docs/configuration.md` describes each key.
"""

from __future__ import annotations

import difflib
import hashlib
import inspect
import json
import tomllib
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from blocking.rules import BlockingRule
from linkage.errors import ConfigError
from linkage.fields import CANONICAL_FIELDS, ENTITIES, Entity
from matchers.field_types import FIELD_TYPES
from matchers.levels import Condition, Level, columns_of

Model = TypeVar("Model", bound=BaseModel)
ID_PREFIX: dict[str, Literal["LP", "NP"]] = {"legal_person": "LP", "natural_person": "NP"}


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class FieldConfig(_Section):
    """One field: which raw columns it reads and what type of value it is.

    Attributes:
        name: prefix of the standardised columns.
        type: a key of `matchers.field_types.FIELD_TYPES`.
        read: one entry per argument of the type's `standardise`: a raw column, alternatives `a|b` (first that is not
            empty), or a column another field above has made.
    """

    name: str
    type: str
    read: tuple[str, ...] = Field(alias="from")

    @property
    def columns_read(self) -> tuple[str, ...]:
        """Every column that `read` names, alternatives included."""
        return tuple(column for entry in self.read for column in entry.split("|"))


class ComparisonConfig(_Section):
    """One comparison: a field, and the related fields its levels may look at.

    Attributes:
        name: stable name, used by rules and reports.
        field: the field compared.
        related: keyword arguments of the type's `levels`, such as `former = "former"`.
        title_zh: how an auditor calls it, Chinese.
        title_en: the same in English.
        evidence: levels that count as independent evidence beside the name.
        against: levels that are evidence against a match wherever they stand in the order.
    """

    name: str
    field: str
    related: dict[str, str] = Field(default_factory=dict)
    title_zh: str
    title_en: str
    evidence: tuple[str, ...] = ()
    against: tuple[str, ...] = ()


class CheckConfig(_Section):
    """A yes-or-no condition that rules may name: a check of a field's type.

    Attributes:
        name: stable name used in rules.
        field: the field.
        check: the type's check.
        related: keyword arguments of the check, such as `person = "rep"`: other fields it looks at.
    """

    name: str
    field: str
    check: str
    related: dict[str, str] = Field(default_factory=dict)


class RuleConfig(_Section):
    """A hard rule: it decides before the score.

    Attributes:
        name: stable name, stored with the pair.
        verdict: what happens to the pair.
        when: comparison name to the levels under which the rule applies (all must hold). A list starting with `not`
            means every level but those.
        checks: checks that must hold; a leading `not ` negates one.
        min_evidence: the rule applies only to pairs with at least this many kinds of evidence beside the name.
        max_evidence: the rule applies only to pairs with at most this many.
        min_weight: the rule applies only from this match weight on.
        only_candidate: of a `review` rule, the column that a sure candidate has; the pair is linked after all if from a
            group of linked profiles without it, no other comes into question (`linkage.clusters.only_candidates`).
        despite: of a rule with `only_candidate`: rules with `against` whose pairs do not forbid its links.
        rival: of a `reject` rule: its pairs come into question all the same where an only candidate is sought.
        against: of a `reject` rule: its pairs speak against an only candidate whatever their weight.
        basis: the link basis a link by this rule gets; `evidence`: `corroborated` from two kinds of evidence beside the
            name on, else `attribute`, as where the score decides.
        reason_zh: why, in words an auditor reads; Chinese.
        reason_en: the same in English.
    """

    name: str
    verdict: Literal["auto", "review", "reject", "conflict"]
    when: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    checks: tuple[str, ...] = ()
    min_evidence: int | None = None
    max_evidence: int | None = None
    min_weight: float | None = None
    only_candidate: str | None = None
    despite: tuple[str, ...] = ()
    rival: bool = False
    against: bool = False
    basis: Literal["identifier", "corroborated", "attribute", "evidence"] = "corroborated"
    reason_zh: str
    reason_en: str


class Thresholds(_Section):
    """Where the score alone decides.

    Attributes:
        auto: match weight from which a pair is linked.
        review: match weight from which a person is asked.
        against: match weight below which a rejected pair speaks against an only candidate; absent: `review`. Lowering
            it links more.
    """

    auto: float
    review: float
    against: float | None = None


class TrainingConfig(_Section):
    """How a model is estimated.

    Attributes:
        label: the column whose equal values mark matches (an exclusive identifier).
        minimum_label_pairs: fewer labelled pairs than this and the shipped model is used.
        label_blind: comparisons that the label decides, estimated by expectation maximisation instead.
        em_block: columns that block the pairs of the expectation maximisation.
        max_pairs: random pairs sampled for the u-probabilities.
        max_label_group: profiles with one label value beyond which the value is not trusted as a label.
        base_strength: labelled pairs' worth of the base model's m-probabilities; raising it trusts the data less.
        tf_prior_strength: profiles' worth of average frequency that smooth a term's own frequency; raising it makes
            rare values count less in small files.
        tf_minimum: smallest frequency a term can have; a rarer one weighs no more.
        weight_bound: no level's weight is outside plus or minus this bound.
    """

    label: str
    minimum_label_pairs: int
    label_blind: tuple[str, ...]
    em_block: tuple[str, ...]
    max_pairs: float = 2e6
    max_label_group: int = 50
    base_strength: float = 200.0
    tf_prior_strength: float = 5000.0
    tf_minimum: float = 1e-6
    weight_bound: float = 30.0


class ClusteringConfig(_Section):
    """What a cluster may not hold.

    Attributes:
        exclusive: columns that may not take two values in one cluster.
        ambiguity_margin: a record without an exclusive identifier that is linked to two different ones is joined to
            neither if the weights differ by less than this; raising it asks about more.
        bridge_weight: a link that rests on neither an identifier nor a decision and weighs less than this may not join
            two groups of profiles by itself; raising it asks about more.
        bridge_side: smallest such group, in profiles; lowering it asks about more.
        maximum_size: profiles of a cluster, if identifiers and decisions alone do not make it larger; lowering it
            asks about more.
        hysteresis: a link of the last run holds down to this weight below the threshold; raising it keeps more.
        contradicting: rules with the verdict `reject` whose pairs contradict a cluster that holds both; a person is
            asked whether to split it.
        keeping_apart: rules with the verdict `reject` whose pairs, below a weight, are joined by decisions and
            identifiers only, and not through third records; naming more asks about more.
        keeping_apart_below: that weight; raising it asks about more.
    """

    exclusive: tuple[str, ...]
    ambiguity_margin: Annotated[float, Field(ge=0)] = 8.0
    bridge_weight: float = 12.0
    bridge_side: Annotated[int, Field(ge=2)] = 3
    maximum_size: Annotated[int, Field(ge=2)] = 200
    hysteresis: Annotated[float, Field(ge=0)] = 2.0
    contradicting: tuple[str, ...] = ()
    keeping_apart: tuple[str, ...] = ()
    keeping_apart_below: float = -10.0


class EntityConfig(_Section):
    """Everything the linkage of one entity type is told."""

    entity: Entity
    version: str
    field: tuple[FieldConfig, ...]
    comparison: tuple[ComparisonConfig, ...]
    check: tuple[CheckConfig, ...] = ()
    blocking: tuple[BlockingRule, ...]
    rule: tuple[RuleConfig, ...]
    thresholds: Thresholds
    training: TrainingConfig
    clustering: ClusteringConfig

    @cached_property
    def columns(self) -> dict[str, str]:
        """Standardised columns and their DuckDB types, in the order the fields make them."""
        made: dict[str, str] = {}
        for field in self.field:
            made |= FIELD_TYPES[field.type].columns(field.name)
        return made

    @cached_property
    def levels(self) -> dict[str, tuple[Level, ...]]:
        """The ordered levels of each comparison."""
        types = {field.name: FIELD_TYPES[field.type] for field in self.field}
        made: dict[str, tuple[Level, ...]] = {}
        for comparison in self.comparison:
            build = types[comparison.field].levels
            if build is None:
                raise ConfigError(f"comparison {comparison.name!r}: field {comparison.field!r} cannot be compared")
            made[comparison.name] = build(comparison.field, **comparison.related)
        return made

    @cached_property
    def conditions(self) -> dict[str, Condition]:
        """The condition of each check."""
        types = {field.name: FIELD_TYPES[field.type] for field in self.field}
        return {c.name: types[c.field].checks[c.check](c.field, **c.related) for c in self.check}

    @cached_property
    def compared_columns(self) -> tuple[str, ...]:
        """The standardised columns that the comparisons read, sorted."""
        read = columns_of(level.condition for levels in self.levels.values() for level in levels if level.condition)
        frequencies = {level.term_frequency for levels in self.levels.values() for level in levels}
        return tuple(sorted(read | {column for column in frequencies if column}))

    @cached_property
    def profile_columns(self) -> tuple[str, ...]:
        """The standardised columns that comparing, blocking, training and clustering read, sorted."""
        read = set(self.compared_columns) | columns_of(self.conditions.values())
        read |= {self.training.label, *self.training.em_block, *self.clustering.exclusive}
        for rule in self.blocking:
            read |= rule.columns()
        read |= {hard.only_candidate for hard in self.rule if hard.only_candidate}
        return tuple(sorted(read))

    @property
    def against_below(self) -> float:
        """The weight below which a rejected pair speaks against an only candidate."""
        return self.thresholds.review if self.thresholds.against is None else self.thresholds.against

    def speaking_against(self, rule: RuleConfig) -> tuple[str, ...]:
        """Return the rules whose pairs forbid the links of a rule with `only_candidate`, whatever their weight."""
        return tuple(hard.name for hard in self.rule if hard.against and hard.name not in rule.despite)

    @cached_property
    def hash(self) -> str:
        """A short hash of everything that affects the result."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]


def load_entity_config(entity: str, path: Path | None = None) -> EntityConfig:
    """Read and check an entity type's configuration.

    Args:
        entity: `legal_person` or `natural_person`.
        path: a TOML file to use instead of the shipped one.

    Raises:
        ConfigError: with the place, the value, what was expected and the known names.
    """
    if entity not in ENTITIES:
        raise ConfigError(f"entity type {entity!r} is unknown: use one of {', '.join(ENTITIES)}")
    place = str(path) if path else f"configs/{entity}.toml"
    try:
        text = (
            path.read_text("utf-8")
            if path
            else resources.files("configs").joinpath(f"{entity}.toml").read_text("utf-8")
        )
    except OSError as error:
        raise ConfigError(f"{place}: cannot be read ({error.strerror}); give an existing file") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{place}: not UTF-8 at byte {error.start}; save it as UTF-8") from error
    config = parse_model(EntityConfig, text, place)
    if config.entity != entity:
        raise ConfigError(f"{place}: entity is {config.entity!r}, but {entity!r} was asked for")
    _check_names(config, place)
    return config


def parse_model(model: type[Model], text: str, place: str) -> Model:
    """Parse TOML into a pydantic model, with errors that name the place and the known keys.

    Raises:
        ConfigError: on invalid TOML, an unknown or missing key, or a wrong value.
    """
    try:
        data: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{place}: not valid TOML: {error}") from error
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(place, model, item) for item in error.errors())) from error


def _explain(place: str, model: type[BaseModel], item: Any) -> str:
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in item["loc"]).lstrip(".")
    if item["type"] == "extra_forbidden":
        known = _known_keys(model, item["loc"][:-1])
        near = difflib.get_close_matches(str(item["loc"][-1]), known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return f"{place}: {where}: unknown key (known: {', '.join(known)}){hint}"
    if item["type"] == "missing":
        return f"{place}: {where}: required key is missing; add it (see docs/configuration.md)"
    return (
        f"{place}: {where}: {item['msg']} (found {json.dumps(item.get('input'), ensure_ascii=False, default=str)[:80]})"
    )


def _known_keys(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    current: Any = model
    for part in (p for p in loc if isinstance(p, str)):
        fields = getattr(current, "model_fields", {})
        by_alias = {f.alias or n: f for n, f in fields.items()}
        if part not in by_alias:
            return []
        current = by_alias[part].annotation
        for argument in getattr(current, "__args__", ()):
            if isinstance(argument, type) and issubclass(argument, BaseModel):
                current = argument
                break
    return sorted(f.alias or n for n, f in getattr(current, "model_fields", {}).items())


def _check_names(config: EntityConfig, place: str) -> None:
    for key in ("field", "comparison", "check", "blocking", "rule"):
        taken: set[str] = set()
        for i, section in enumerate(getattr(config, key)):
            if section.name in taken:
                raise ConfigError(f"{place}: {key}[{i}].name: {section.name!r} is taken; give it another name")
            taken.add(section.name)
    raw = set(CANONICAL_FIELDS[config.entity]) | {"as_of"}
    made: set[str] = set()
    for i, field in enumerate(config.field):
        _known(field.type, FIELD_TYPES, f"{place}: field[{i}].type", "field type")
        for column in field.columns_read:
            _known(column, raw | made, f"{place}: field[{i}].from", "column")
        columns = set(FIELD_TYPES[field.type].columns(field.name))
        clash = sorted(columns & (raw | made))
        if clash:
            raise ConfigError(f"{place}: field[{i}].name: {field.name!r} makes columns that exist: {', '.join(clash)}")
        made |= columns
    names = {field.name for field in config.field}
    for i, comparison in enumerate(config.comparison):
        where = f"{place}: comparison[{i}]"
        for field_name in (comparison.field, *comparison.related.values()):
            _known(field_name, names, f"{where}.field", "field")
        build = next(FIELD_TYPES[f.type].levels for f in config.field if f.name == comparison.field)
        if build is None:
            raise ConfigError(f"{where}.field: {comparison.field!r} cannot be compared by itself; relate it to another")
        for keyword in comparison.related:
            _known(keyword, list(inspect.signature(build).parameters)[1:], f"{where}.related", "keyword")
        known_levels = {level.name for level in build(comparison.field, **comparison.related)}
        for level in (*comparison.evidence, *comparison.against):
            _known(level, known_levels, f"{where}.evidence/against", "level")
    for i, check in enumerate(config.check):
        for field_name in (check.field, *check.related.values()):
            _known(field_name, names, f"{place}: check[{i}].field", "field")
        checks = next(FIELD_TYPES[f.type].checks for f in config.field if f.name == check.field)
        _known(check.check, checks, f"{place}: check[{i}].check", "check")
    for i, rule in enumerate(config.blocking):
        for column in sorted(rule.columns()):
            _known(column, config.columns, f"{place}: blocking[{i}].keys", "field")
    levels = {name: {level.name for level in found} | {"not"} for name, found in config.levels.items()}
    speaking = {hard.name for hard in config.rule if hard.against}
    for i, hard in enumerate(config.rule):
        for name, wanted in hard.when.items():
            _known(name, levels, f"{place}: rule[{i}].when", "comparison")
            if wanted in ((), ("not",)):
                raise ConfigError(f"{place}: rule[{i}].when.{name}: names no level; name one, or leave the key out")
            for level in wanted:
                _known(level, levels[name], f"{place}: rule[{i}].when.{name}", "level")
        for check_name in hard.checks:
            _known(check_name.removeprefix("not "), config.conditions, f"{place}: rule[{i}].checks", "check")
        if hard.only_candidate is not None:
            _known(hard.only_candidate, config.columns, f"{place}: rule[{i}].only_candidate", "column")
            if hard.verdict != "review":
                raise ConfigError(f"{place}: rule[{i}].only_candidate: belongs to a rule with verdict 'review'")
        elif hard.despite:
            raise ConfigError(f"{place}: rule[{i}].despite: belongs to a rule with `only_candidate`")
        for name in hard.despite:
            _known(name, speaking, f"{place}: rule[{i}].despite", "rule with `against`")
        if hard.rival and hard.verdict != "reject":
            raise ConfigError(f"{place}: rule[{i}].rival: belongs to a rule with verdict 'reject'; others always count")
        if hard.against and hard.verdict != "reject":
            raise ConfigError(f"{place}: rule[{i}].against: belongs to a rule with verdict 'reject'")
    for column in (config.training.label, *config.training.em_block, *config.clustering.exclusive):
        _known(column, config.columns, f"{place}: training/clustering", "column")
    rejecting = {hard.name for hard in config.rule if hard.verdict == "reject"}
    for key in ("contradicting", "keeping_apart"):
        for name in getattr(config.clustering, key):
            _known(name, rejecting, f"{place}: clustering.{key}", "rule with verdict 'reject'")
    for name in config.training.label_blind:
        _known(name, config.levels, f"{place}: training.label_blind", "comparison")


def _known(name: str, known: Any, where: str, what: str) -> None:
    if name in known:
        return
    near = difflib.get_close_matches(name, list(known), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ConfigError(f"{where}: unknown {what} {name!r} (known: {', '.join(sorted(known))}){hint}")
