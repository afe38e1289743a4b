"""The documentation says what the program does: commands, settings, tables, links and licences are compared with it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, date, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import duckdb
import pytest
import typer
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from golden_records.survivorship_config import SurvivorshipConfig
from linkage.attach.catalogue import Catalogue
from linkage.attach.row_sql import REASONS as ATTACH_REASONS
from linkage.cli.main import app
from linkage.commands.console import Console
from linkage.entity_config import EntityConfig, load_entity_config
from linkage.fields import FIELDS
from linkage.ingest.manifest import LoadManifest
from linkage.ingest.quarantine import REASONS
from linkage.ingest.source_config import SourceConfig
from linkage.relations.settings import RelationSettings
from linkage.workspace import WorkspaceSettings
from matchers.field_types import FIELD_TYPES

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
NOW = datetime(2025, 2, 1, tzinfo=UTC)
PEOPLE = """source,source_record_id,name,id_number,birth_date,sex,phone,address
police,P1,刘宇航,222424200908281271,2009-08-28,男,,桃源街道龙光社区侨香路48号丽景城8栋1803
telecom,T1,刘宇航,222424********1271,,,19850600788,侨香路48号丽景城8栋1803
grid,G1,,,,,,
"""
COMPANIES = """source,source_record_id,name,uscc,legal_rep_name
registry,M1,深圳市云汇科技有限公司,91440300MA5KPW5G0T,原小青
tax,S1,深圳市云汇科技有限公司,91440300MA5KPW5G0T,
"""


def page(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def sections(text: str, level: int) -> dict[str, str]:
    """Return heading to the text below it, down to the next heading of the same or a higher level."""
    parts = re.split(rf"^(#{{1,{level}}}) (.+)$", text, flags=re.M)
    return {
        title.replace("`", ""): body
        for marks, title, body in zip(parts[1::3], parts[2::3], parts[3::3], strict=True)
        if len(marks) == level
    }


def rows(text: str) -> list[list[str]]:
    """Return the cells of the table rows that begin with a name in backticks."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[c.strip().replace(r"\|", "|") for c in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [row for row in cells if "`" in row[0]]


def ticked(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def first_names(text: str) -> list[str]:
    return [name for row in rows(text) for name in ticked(row[0])]


# --- commands.md ------------------------------------------------------------------------------------------------------


def commands_of(group: Any, before: str = "") -> dict[str, Any]:
    """Return every command by its whole name, those of groups included."""
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        found |= commands_of(command, f"{name} ") if hasattr(command, "commands") else {before + name: command}
    return found


COMMANDS = commands_of(typer.main.get_command(app))


def test_every_command_has_a_section_and_every_section_a_command() -> None:
    documented = {title.removeprefix("guiyi ") for title in sections(page("docs/commands.md"), 2) if "guiyi " in title}
    assert documented == set(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_page_names_exactly_the_arguments_and_options_it_has(name: str) -> None:
    section = sections(page("docs/commands.md"), 2)[f"guiyi {name}"]
    documented = set(first_names(section))
    options: set[str] = set()
    arguments: set[str] = set()
    for parameter in COMMANDS[name].params:
        if parameter.param_type_name == "option":
            options.update(o for o in (*parameter.opts, *parameter.secondary_opts) if o != "--help")
        else:
            arguments.add((parameter.metavar or parameter.name).upper().rstrip("."))
    assert documented == options | arguments
    assert f"$ guiyi {name}" in section, "every command has an example"
    assert "Exit codes:" in section


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_documented_default_is_the_real_one(name: str) -> None:
    section = sections(page("docs/commands.md"), 2)[f"guiyi {name}"]
    said = {row[0].strip("`"): row[1].strip("`") for row in rows(section) if row[0].startswith("`--")}
    for parameter in COMMANDS[name].params:
        if parameter.param_type_name != "option" or parameter.opts[0] not in said:
            continue
        if parameter.required:
            assert said[parameter.opts[0]] == "required"
        elif not isinstance(parameter.default, bool) and parameter.default is not None:
            assert said[parameter.opts[0]] == str(parameter.default)


# --- configuration.md -------------------------------------------------------------------------------------------------

MODEL_TABLES = dict(
    re.findall(r"<!-- model: (\S+) -->\n\n((?:\|.*\n)+)", page("docs/configuration.md") + page("docs/attach.md"))
)


def models(root: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Yield a model and every model its keys hold."""
    yield root
    for field in root.model_fields.values():
        for kind in _kinds(field.annotation):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from models(kind)


def _kinds(annotation: Any) -> Iterator[Any]:
    yield annotation
    for argument in get_args(annotation):
        yield from _kinds(argument)


def load(dotted: str) -> type[BaseModel]:
    module, _, name = dotted.rpartition(".")
    found: type[BaseModel] = getattr(import_module(module), name)
    return found


def test_every_model_of_a_configuration_file_has_a_table() -> None:
    roots = (EntityConfig, SourceConfig, SurvivorshipConfig, WorkspaceSettings, Catalogue, RelationSettings)
    expected = {f"{m.__module__}.{m.__qualname__}" for root in roots for m in models(root)}
    assert set(MODEL_TABLES) == expected


@pytest.mark.parametrize("dotted", sorted(MODEL_TABLES))
def test_a_table_names_exactly_the_keys_of_its_model_with_their_defaults(dotted: str) -> None:
    expected = {f.alias or name: _default(f) for name, f in load(dotted).model_fields.items()}
    said = {row[0].strip("`"): row[2].strip("`") for row in rows(MODEL_TABLES[dotted])}
    assert said.keys() == expected.keys()
    for key, default in expected.items():
        if isinstance(default, float):
            assert float(said[key]) == default, key
        else:
            assert said[key] == default, key


def _default(field: Any) -> str | float:
    default = field.default_factory() if field.default_factory else field.default
    if default is PydanticUndefined:
        return "required"
    if isinstance(default, BaseModel):
        return "see below"
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, int | float):
        return float(default)
    return "none" if default is None else str(default or "empty")


def test_the_field_types_are_named_with_the_levels_they_have() -> None:
    said = {row[0].strip("`"): ticked(row[2]) for row in rows(sections(page("docs/configuration.md"), 3)["field"])}
    for name, kind in FIELD_TYPES.items():
        levels = ["missing"]
        if kind.levels is not None:
            related = {"former": "f"} if name in ("person_name", "organization_name") else {}
            levels = [level.name for level in kind.levels("x", **related)]
        assert said[name] == levels[1:], name


# --- tables.md --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A one-off link of three rows, and a workspace with one load and one release of each entity type."""
    from linkage.commands.loading import ingest_files
    from linkage.commands.monthly import run_month
    from linkage.commands.one_off import LinkRequest, link_files
    from linkage.workspace import create_workspace, open_workspace

    root = tmp_path_factory.mktemp("docs")
    console = Console(quiet=True, as_json=True)
    for name, text in (("people.csv", PEOPLE), ("companies.csv", COMPANIES)):
        (root / name).write_text(text, "utf-8")
    request = LinkRequest(
        "natural_person", (root / "people.csv",), root / "linked", None, None, None, date(2025, 1, 31), None, "en"
    )
    assert link_files(request, now=NOW, console=console) == 3
    create_workspace(root / "workspace")
    sources = root / "workspace" / "sources"
    sources.mkdir()
    settings = root / "workspace" / "guiyi.toml"
    settings.write_text('sources = "sources"\n', "utf-8")
    workspace = open_workspace(root / "workspace")
    for entity, name in (("natural_person", "people"), ("legal_person", "companies")):
        (sources / f"{name}.toml").write_text(
            f'source = "{name}"\nentity = "{entity}"\ncanonical = true\n[key]\nsource_record_id = "source_record_id"\n',
            "utf-8",
        )
        ingest_files(
            workspace,
            [root / f"{name}.csv"],
            source=name,
            as_of=date(2025, 1, 31),
            mode="full",
            now=NOW,
            console=console,
        )
    assert run_month(workspace, entities=None, language="en", now=NOW, console=console) == 0
    return root


def columns(path: Path) -> list[str]:
    return [row[0] for row in duckdb.execute("describe select * from read_parquet(?)", [str(path)]).fetchall()]


def part(*titles: str) -> str:
    text = page("docs/tables.md")
    for level, title in enumerate(titles, start=2):
        text = sections(text, level)[title]
    return text


@pytest.mark.parametrize("name", ["clusters", "pairs", "quarantine", "golden"])
def test_the_columns_of_a_link_result_are_those_documented(made: Path, name: str) -> None:
    if name == "golden":
        said = ticked(re.split("`natural_person_golden`:", part("The batch database", "Golden records"))[1])
        said = said[: said.index("conflicts") + 1]
    elif name == "quarantine":
        said = first_names(part("A load", "quarantine.parquet").split("| reason |")[0])
    else:
        said = first_names(part("What guiyi link writes", f"{name}.parquet"))
    assert columns(made / "linked" / f"{name}.parquet") == said


def test_the_files_and_the_manifest_of_a_link_are_those_documented(made: Path) -> None:
    titles = sections(part("What guiyi link writes"), 3)
    said = {name for title in titles for name in re.findall(r"[a-z]+\.[a-z]+", title)}
    assert {path.name for path in (made / "linked").iterdir()} == said
    manifest = json.loads((made / "linked" / "manifest.json").read_text("utf-8"))
    assert set(manifest) == set(first_names(titles["manifest.json of a link"]))


def test_a_load_folder_holds_what_is_documented(made: Path) -> None:
    folder = next((made / "workspace" / "loads").glob("2025-01-31-people-*"))
    assert {path.name for path in folder.iterdir()} == set(sections(part("A load"), 3))
    keys = [*first_names(part("A load", "records.parquet")), *(f.name for f in FIELDS["natural_person"])]
    assert columns(folder / "records.parquet") == keys
    said = first_names(part("A load", "manifest.json"))
    assert said == [name for name, field in LoadManifest.model_fields.items() if not field.exclude]


def test_the_quarantine_reasons_are_those_documented() -> None:
    assert first_names(part("A load", "quarantine.parquet").split("| reason |")[1]) == list(REASONS)


def test_the_workspace_holds_what_is_documented(made: Path) -> None:
    said = " ".join(first_names(part("The workspace")))
    unknown = [p.name for p in (made / "workspace").iterdir() if p.name.removesuffix("/") not in said]
    assert not unknown


@pytest.mark.parametrize("entity", ["legal_person", "natural_person"])
def test_the_batch_database_holds_what_is_documented(made: Path, entity: str) -> None:
    with duckdb.connect(str(made / "workspace" / "batch.duckdb"), read_only=True) as con:
        names = [row[0] for row in con.execute("show tables").fetchall()]
        ours = [name.removeprefix(f"{entity}_") for name in names if name.startswith(entity)]
        real = {
            name: [row[0] for row in con.execute(f'describe "{entity}_{name}"').fetchall()]
            for name in ours
            if not name.startswith("frequency_")
        }
    documented = sections(part("The batch database"), 3)
    said = {name for title in documented for name in re.findall(r"[a-z_]+", title) if name in real}
    published = ticked(documented["Published tables"])
    assert set(real) == said | (set(published) & set(real)) | {"golden"}
    assert ticked(documented["Golden records"].split(f"`{entity}_golden`:")[1])[: len(real["golden"])] == real["golden"]
    gammas = [f"gamma_{comparison.name}" for comparison in load_entity_config(entity).comparison]
    for name in sorted(real.keys() & documented.keys()):
        expected = first_names(documented[name]) or ticked(documented[name])
        expected = [g for column in expected for g in (gammas if column == "gamma_<comparison>" else [column])]
        known = {*real["scored"], *real["records"], *expected}
        assert set(real[name]) <= known, name
        assert set(expected) - {"raw", "scored", "pairs", "scoring_pairs"} <= set(real[name]), name


@pytest.mark.parametrize("name", sorted(FIELD_TYPES))
def test_the_standardised_columns_of_a_field_type_are_documented(name: str) -> None:
    said = first_names(part("Standardised columns", name))
    assert set(said) == {field.name for field in fields(FIELD_TYPES[name].attributes)}


def test_the_reasons_of_attaching_are_those_documented() -> None:
    table = [row[0].strip("`") for row in rows(sections(page("docs/attach.md"), 2)["Rows out"])]
    assert {name for name in table if "_" in name or name in ATTACH_REASONS} - set(ATTACH_REASONS) <= {
        "attach_status",
        "attach_reason",
        "attach_candidates",
        "attach_file",
        "entity_id",
        "link_basis",
        "link_probability",
        "attach_status=matched",
        "attach_status=conflict",
        "attach_status=none",
    }
    assert set(ATTACH_REASONS) <= set(table)


# --- the pages together -----------------------------------------------------------------------------------------------


def anchors(text: str) -> set[str]:
    made = (re.sub(r"[^\w\- ]", "", title.replace("`", "").lower()) for title in re.findall(r"^#+ (.+)$", text, re.M))
    return {title.strip().replace(" ", "-") for title in made}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    text = path.read_text("utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        assert file.exists(), target
        assert not anchor or anchor in anchors(file.read_text("utf-8")), target


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path in seen or path.suffix != ".md":
            continue
        seen.add(path)
        found = re.findall(r"\]\(([^)#\s]+)", path.read_text("utf-8"))
        waiting += [(path.parent / name).resolve() for name in found if "://" not in name]
    assert set(PAGES) <= seen


def test_the_two_readmes_have_the_same_sections_commands_fields_and_pictures() -> None:
    english, chinese = page("README.md"), page("README.zh-CN.md")
    assert len(sections(english, 2)) == len(sections(chinese, 2))
    assert re.findall(r"^\$ .+$", english, re.M) == re.findall(r"^\$ .+$", chinese, re.M)
    assert re.findall(r"^\| `(\w+)` \|", english, re.M) == re.findall(r"^\| `(\w+)` \|", chinese, re.M)


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_a_readme_lists_every_canonical_field(name: str) -> None:
    said = re.findall(r"^\| `(\w+)` \|", page(name), re.M)
    canonical = [f.name for entity in ("legal_person", "natural_person") for f in FIELDS[entity]]
    assert [field for field in said if field in canonical] == canonical


def test_pictures_are_small() -> None:
    pictures = sorted((DOCS / "images").glob("*.png"))
    shown = {name for page in PAGES for name in re.findall(r"images/([\w-]+\.png)\)", page.read_text("utf-8"))}
    assert {p.name for p in pictures} == shown
    assert all(p.stat().st_size < 400_000 for p in pictures)


def test_the_notice_names_every_foreign_source_of_a_reference_file() -> None:
    notice = page("NOTICE").lower()
    named = re.compile(r"(?:github\.com/|GitHub )([\w.-]+/[\w.-]*\w)|\b(jionlp|overtrue/pinyin|OpenCC|pypinyin)\b")
    for path in sorted([*ROOT.glob("*/**/reference/*"), *ROOT.glob("matchers/identifiers/*.txt")]):
        if path.suffix in (".tsv", ".txt"):
            head = "".join(line for line in path.read_text("utf-8").splitlines(True)[:12] if line.startswith("#"))
            for match in named.finditer(head):
                assert (match[1] or match[2]).lower() in notice, f"{path.name}: {match[0]}"


# --- the tutorial, word by word ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_tutorial_can_be_followed_word_by_word(tmp_path: Path) -> None:
    """Run every command of the tutorial in a new directory; the files it shows are written first."""
    text = page("docs/tutorial.md")
    for name, content in re.findall(r"<!-- file: (\S+) -->\n\n```\w*\n(.*?)```", text, re.S):
        (tmp_path / name).write_text(content, "utf-8")
    script = [f'export PATH="{Path(sys.executable).parent}:$PATH"']
    expected: list[int] = []
    for block in re.findall(r"```console\n(.*?)```", text, re.S):
        commands = re.findall(r"^\$ ((?:.*\\\n)*.*)$", block, re.M)
        for command in commands:
            if command.startswith(("make ", "cd ", "git ")):
                continue
            if command == "echo $?":
                expected[-1] = int(re.findall(r"^\$ echo \$\?\n(\d)$", block, re.M)[0])
                continue
            script.append(f'{{ {command}\n}} </dev/null; printf "\\ncode $?\\n"')
            expected.append(0)
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)], cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False
    )
    codes = [int(code) for code in re.findall(r"^code (\d+)$", done.stdout, re.M)]
    assert codes == expected, done.stdout + done.stderr
    printed = {" ".join(line.split()) for line in done.stdout.splitlines()}
    shown = [" ".join(line.split()) for line in _results_shown(text)]
    assert len(shown) > 30
    assert [line for line in shown if not any(one.startswith(line.removesuffix("…)")) for one in printed)] == []


def _results_shown(text: str) -> list[str]:
    """Return the lines of results with figures in a page's console blocks: tables, loads, rows and weights."""
    blocks = re.findall(r"```console\n(.*?)```", text, re.S)
    return re.findall(r"^(?:[│(\[]|Match weight|\d{4}-\d\d-\d\d-).*$", "\n".join(blocks), re.M)
