"""The Fellegi–Sunter model of an entity type: what each level of each comparison is worth.

A model is plain data (`Model`), written as JSON with the hash of the configuration and of the data it came from. Splink
estimates it (`linkage.model.training`); `linkage.model.scoring` evaluates it in the batch, `linkage.model.online` the
same model on two rows. The weight of a level is log2(m/u). Where the level names a
term-frequency column, u is replaced by the frequency of the shared value: a rare name is worth more than a common one.
"""

from __future__ import annotations

import json
import math
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from linkage.durable import write_whole
from linkage.entity_config import EntityConfig
from linkage.errors import ConfigError
from matchers.levels import Level

FORMAT = 1


class LevelParameters(BaseModel):
    """One level's parameters.

    Attributes:
        level: the level's name.
        m: probability of the level among matches.
        u: probability of the level among non-matches.
        m_from: where m comes from (labels, em, base, pooled, stands_for: the level it stands for).
        u_from: where u comes from (sample, frequencies, smoothed, pooled).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    level: str
    m: float
    u: float
    m_from: str
    u_from: str

    @property
    def weight(self) -> float:
        """The match weight, log2(m/u)."""
        return math.log2(self.m / self.u)


class Model(BaseModel):
    """A trained model.

    Attributes:
        format: version of this layout.
        entity: the entity type.
        config_version: version of the configuration it was trained under.
        levels_hash: hash of the comparisons and levels; a model of other levels cannot be used.
        data_hash: hash of the training data's size and content summary.
        profiles: profiles it was trained on.
        label_pairs: labelled pairs it was trained on.
        prior: probability that two random profiles match.
        tf_prior_strength: how many profiles' worth of average frequency smooth a term's own frequency.
        tf_minimum: smallest frequency of a term.
        comparisons: comparison name to parameters of its levels, best first, without `missing`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int
    entity: str
    config_version: str
    levels_hash: str
    data_hash: str
    profiles: int
    label_pairs: int
    prior: float
    tf_prior_strength: float
    tf_minimum: float
    comparisons: dict[str, tuple[LevelParameters, ...]]

    @property
    def prior_weight(self) -> float:
        """The prior as a match weight."""
        return math.log2(self.prior / (1.0 - self.prior))

    def parameters(self, comparison: str, level: str) -> LevelParameters:
        """Return one level's parameters."""
        return next(p for p in self.comparisons[comparison] if p.level == level)

    def smoothed_frequency(self, count: int, total: int, level_u: float) -> float:
        """Return the frequency of a term seen `count` times among `total` values, drawn towards the level's average.

        In a small file a value's own count says little; in a large one it says nearly everything.
        """
        strength = self.tf_prior_strength
        return max((count + strength * level_u) / (total + strength), self.tf_minimum)


def base_model(config: EntityConfig) -> Model | None:
    """Return the shipped model as a base for training, if it fits the configuration's levels."""
    try:
        return load_model(config)
    except ConfigError:
        return None


def levels_hash(config: EntityConfig) -> str:
    """Return a hash of the comparisons, their levels and what these mean in SQL."""
    import hashlib

    def text(level: Level) -> str:
        condition = level.condition.sql(lambda c: f"l.{c}", lambda c: f"r.{c}") if level.condition else "else"
        return f"{level.name}|{condition}|{level.term_frequency}"

    lines = [f"{name}:{text(level)}" for name, levels in config.levels.items() for level in levels]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def term_frequency_columns(config: EntityConfig) -> dict[str, list[tuple[str, str]]]:
    """Return each term-frequency column with the (comparison, level) pairs that use it."""
    used: dict[str, list[tuple[str, str]]] = {}
    for name, levels in config.levels.items():
        for level in levels:
            if level.term_frequency:
                used.setdefault(level.term_frequency, []).append((name, level.name))
    return used


def splink_settings(config: EntityConfig, model: Model | None, *, estimate: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return Splink's settings for the configuration, with the model's parameters filled in.

    Args:
        config: the entity type.
        model: parameters to start from; none before training.
        estimate: comparisons whose m-probabilities training may change; the others are fixed when a model is given.
    """
    comparisons = []
    for name, levels in config.levels.items():
        rendered = [_splink_level(name, level, model, fixed=name not in estimate) for level in levels]
        comparisons.append({"output_column_name": name, "comparison_description": name, "comparison_levels": rendered})
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "profile_id",
        "comparisons": comparisons,
        "blocking_rules_to_generate_predictions": [],
        "probability_two_random_records_match": model.prior if model else 1e-5,
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": True,
        "linker_uid": f"guiyi_{config.entity}",
    }


def _splink_level(comparison: str, level: Level, model: Model | None, *, fixed: bool) -> dict[str, Any]:
    condition = level.condition.sql(lambda c: f'"{c}_l"', lambda c: f'"{c}_r"') if level.condition else "ELSE"
    rendered: dict[str, Any] = {"sql_condition": condition, "label_for_charts": level.name}
    if level.is_missing:
        return {**rendered, "is_null_level": True}
    if model is not None:
        parameters = model.parameters(comparison, level.name)
        rendered |= {"m_probability": parameters.m, "u_probability": parameters.u}
        if fixed:
            rendered |= {"fix_m_probability": True, "fix_u_probability": True}
        if level.term_frequency:
            rendered |= {
                "tf_adjustment_column": level.term_frequency,
                "tf_minimum_u_value": model.tf_minimum,
                "disable_tf_exact_match_detection": True,
            }
    return rendered


def save_model(model: Model, path: Path) -> None:
    """Write a model as JSON, replacing the file whole."""
    write_whole(path, json.dumps(model.model_dump(), ensure_ascii=False, indent=1) + "\n")


def load_model(config: EntityConfig, path: Path | None = None) -> Model:
    """Read a model and check that it fits the configuration.

    Args:
        config: the entity type.
        path: a model file; the shipped model of the entity type if absent.

    Raises:
        ConfigError: unreadable, of another layout, or trained for other levels.
    """
    place = str(path) if path else f"configs/models/{config.entity}.json"
    source = path if path else resources.files("configs").joinpath("models", f"{config.entity}.json")
    try:
        model = Model.model_validate_json(source.read_text("utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{place}: no such model; train one with `guiyi train`") from error
    except OSError as error:
        raise ConfigError(f"{place}: cannot be read ({error.strerror}); give a model file") from error
    except (ValidationError, ValueError) as error:
        raise ConfigError(f"{place}: not a model of this version; train one with `guiyi train`") from error
    if model.format != FORMAT:
        raise ConfigError(f"{place}: not a model of this version; train one with `guiyi train`")
    if model.levels_hash != levels_hash(config):
        raise ConfigError(
            f"{place}: trained for other comparison levels (version {model.config_version}, "
            f"configuration {config.version}); train one with `guiyi train`"
        )
    return model
