"""The catalogue of public credit information (公共信用信息目录): whom an item concerns, and how it may be used.

Only what an item of the catalogue describes is public credit information (深圳经济特区社会信用条例, articles 31 to 35),
so every credit row names its item. The shipped catalogue holds the items of the simulated district; a district puts its
own beside it, in the same form.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from linkage.errors import ConfigError
from linkage.fields import Entity

Category = Literal["basic", "licence", "penalty", "judicial", "supervision", "honour", "other"]
CATEGORY_TITLES: dict[Category, str] = {
    "basic": "基本信息",
    "licence": "资质及许可信息",
    "penalty": "处罚信息",
    "judicial": "司法信息",
    "supervision": "监管及警示信息",
    "honour": "荣誉信息",
    "other": "其他信息",
}


class Item(BaseModel):
    """One item of the catalogue.

    Attributes:
        id: stable id that credit rows carry.
        title_zh: its name.
        title_en: the same in English.
        category: one of the seven categories.
        concerns: whose credit it is.
        publicity: `public`, `on_request` (政府部门依申请公开) or `authorised` (经授权查询).
        sharing: `open` (无条件共享), `conditional` (有条件共享) or `none` (不予共享).
        retention_months: how long a row may be shown; absent: as long as the subject exists.
        update: how often the source renews it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[A-Z]{2}-[A-Z0-9]{2,8}-\d{3}$")]
    title_zh: str
    title_en: str
    category: Category
    concerns: Entity
    publicity: Literal["public", "on_request", "authorised"]
    sharing: Literal["open", "conditional", "none"]
    retention_months: Annotated[int | None, Field(ge=1)] = None
    update: Literal["daily", "monthly", "quarterly", "yearly", "on_change"]


class Catalogue(BaseModel):
    """All items, in the order of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    item: tuple[Item, ...]


def load_catalogue(path: Path | None = None) -> dict[str, Item]:
    """Return item id → item.

    Args:
        path: a catalogue (TOML); the shipped one if absent.

    Raises:
        ConfigError: it cannot be read, an item is incomplete or stands twice.
    """
    place = str(path) if path else "configs/catalogue.toml"
    try:
        text = (path or resources.files("configs").joinpath("catalogue.toml")).read_text("utf-8")
        items = Catalogue.model_validate(tomllib.loads(text)).item
    except OSError as error:
        raise ConfigError(f"{place}: cannot be read ({error.strerror}); name a catalogue file") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{place}: not TOML ({error}); see docs/attach.md") from error
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise ConfigError(f"{place}: {where}: {problem['msg']}; see docs/attach.md") from error
    twice = sorted(repeated(item.id for item in items))
    if twice:
        raise ConfigError(f"{place}: item {twice[0]} stands twice; give each item an id of its own")
    return {item.id: item for item in items}


def repeated(values: Iterable[str]) -> set[str]:
    """Return the values that come more than once."""
    return {value for value, times in Counter(values).items() if times > 1}
