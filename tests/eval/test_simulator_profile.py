"""The profile, the source configurations and the documentation of the simulator hold together."""

import ast
import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

import eval.simulator
from eval.simulator import ERROR_CLASSES, SimulatorError, SimulatorProfile, load_profile
from eval.simulator.addresses import STYLE_NAMES
from eval.simulator.canonical import FIELDS
from eval.simulator.profile import Sources, default_profile_path
from eval.simulator.reference_tables import REFERENCE
from eval.simulator.sources import PLANS, shape

ROOT = Path(eval.simulator.__file__).parents[2]
DOC = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")
SHIPPED = default_profile_path().read_text(encoding="utf-8")


def keys(model: type[BaseModel]) -> set[str]:
    found = set()
    for name, field in model.model_fields.items():
        found.add(name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found |= keys(field.annotation)
    return found


def written(tmp_path: Path, old: str, new: str) -> Path:
    assert old in SHIPPED
    path = tmp_path / "profile.toml"
    path.write_text(SHIPPED.replace(old, new, 1), encoding="utf-8")
    return path


def test_the_shipped_profile_loads_and_uses_every_error_class():
    profile = load_profile()
    channels = [
        profile.error_rates(c) for c in ("city_platform", "district_department", "grid", "utility", "credit_bureau")
    ]
    assert all(any(getattr(rates, name) > 0 for rates in channels) for name in ERROR_CLASSES)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("twin_share = 0.03", "twin_shear = 0.03", r"population\.twin_shear.*known: .*twin_share"),
        ("twin_share = 0.03", "twin_share = 1.5", r"population\.twin_share: .*less than or equal to 1"),
        ("births = 0.0008", "births = -0.1", r"months\.births: .*greater than or equal to 0"),
        ("twin_share = 0.03", "", r"population\.twin_share: Field required"),
        ('start_month = "2025-01"', 'start_month = "2025-13"', "start_month"),
        ("[errors.grid]", "[errors.moon]", r"errors\.moon.*known: city_platform"),
        ("id_type_missing = 0.01", "id_type_gone = 0.01", r"errors\.city_platform\.id_type_gone"),
        ("[population]", "[population", "cannot be read as TOML"),
    ],
)
def test_a_bad_profile_is_refused_with_the_place_and_the_remedy(tmp_path, old, new, message):
    path = written(tmp_path, old, new)
    with pytest.raises(SimulatorError, match=message) as error:
        load_profile(path)
    assert str(path) in str(error.value)


def test_a_missing_profile_is_refused(tmp_path):
    with pytest.raises(SimulatorError, match="cannot be read"):
        load_profile(tmp_path / "none.toml")


def test_the_documentation_names_every_key_source_class_and_style():
    named = set(re.findall(r"`([a-z_0-9]+)`", DOC))
    assert keys(SimulatorProfile) - named == set()
    assert {plan.name for plan in PLANS} - named == set()
    assert set(STYLE_NAMES) - named == set()


def test_the_documentation_names_no_error_class_that_is_not_there():
    section = DOC.split("## Error classes")[1].split("\n## ")[0]
    documented = set(re.findall(r"^\| `([a-z_0-9]+)`", section, flags=re.MULTILINE))
    assert documented == set(ERROR_CLASSES) | {"garbage_row", "nul_row", "repeated_row"}


def test_there_are_sources_of_both_entities_in_all_five_channels():
    assert [plan.name for plan in PLANS] == list(Sources.model_fields)
    assert {shape(plan.name).entity for plan in PLANS} == {"legal_person", "natural_person"}
    assert {shape(plan.name).channel for plan in PLANS} == {
        "city_platform",
        "district_department",
        "grid",
        "utility",
        "credit_bureau",
    }
    assert {shape(plan.name).format for plan in PLANS} == {"csv", "xlsx", "jsonl", "parquet"}


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
def test_a_source_configuration_has_only_the_keys_of_its_schema(plan):
    path = ROOT / "configs" / "sources" / f"{plan.name}.toml"
    config = tomllib.loads(path.read_text(encoding="utf-8"))
    assert config["source"] == plan.name
    assert set(config) <= {
        "source",
        "title_zh",
        "title_en",
        "channel",
        "entity",
        "rank",
        "file",
        "key",
        "columns",
        "values",
        "delta",
    }
    assert set(config["file"]) <= {"format", "encoding", "delimiter", "sheet", "header_row"}
    assert set(config["key"]) <= {"source_record_id", "as_of"}
    assert set(config["columns"]) <= set(FIELDS[config["entity"]])
    assert set(config.get("values", {})) <= set(config["columns"])
    assert ("delta" in config) == (plan.mode == "delta")
    assert set(plan.styles) <= set(STYLE_NAMES)
    headers = [*config["columns"].values(), *shape(plan.name).record_id]
    assert len(headers) == len(set(headers))


def test_the_simulator_imports_nothing_it_is_used_to_judge():
    for path in Path(eval.simulator.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [a.name for a in node.names]
                if isinstance(node, ast.Import)
                else []
            )
            assert not {name.split(".")[0] for name in names} & {"matchers", "blocking", "linkage", "golden_records"}, (
                path
            )


@pytest.mark.parametrize("path", sorted(REFERENCE.glob("*.t*")), ids=lambda path: path.name)
def test_a_reference_table_says_where_it_is_from(path):
    head = "".join(line for line in path.read_text(encoding="utf-8").splitlines(keepends=True) if line.startswith("#"))
    assert "Source:" in head
    assert "Licence:" in head
