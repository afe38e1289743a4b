"""The import rings of docs/architecture.md: who may import whom."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RINGS = {
    "matchers": set(),
    "blocking": {"matchers"},
    "golden_records": {"matchers"},
    "eval": {"matchers"},
    "configs": set(),
    "linkage": {"matchers", "blocking", "golden_records", "eval"},
}
FORBIDDEN_NAMES = {"common", "utils", "core", "helpers"}
MODULES = sorted(path for package in RINGS for path in (ROOT / package).rglob("*.py"))


def imported_packages(source: str) -> set[str]:
    """Return the top-level packages a module imports."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            found.add((node.module or "").split(".")[0])
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_imports_only_from_the_rings_below_it(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    ours = imported_packages(path.read_text("utf-8")) & set(RINGS)
    allowed = RINGS[package] | {package}
    if "service" not in path.relative_to(ROOT).parts:
        assert ours <= allowed, f"{path}: may not import {sorted(ours - allowed)}"


def test_nothing_imports_the_service() -> None:
    for path in MODULES:
        if "service" in path.relative_to(ROOT).parts:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert not (node.module or "").startswith("linkage.service"), path


def test_no_package_is_a_drawer_for_everything() -> None:
    for path in MODULES:
        parts = {part.removesuffix(".py") for part in path.relative_to(ROOT).parts}
        assert not parts & FORBIDDEN_NAMES, path


def test_the_ring_check_sees_both_forms_of_import() -> None:
    assert imported_packages("import linkage.cli\nfrom eval.metrics import evaluate") == {"linkage", "eval"}


def test_no_two_modules_of_the_tests_have_one_name() -> None:
    """They are imported by their bare names: the second of two would be the first."""
    names = [path.name for path in (ROOT / "tests").rglob("*.py") if path.name != "conftest.py"]
    assert sorted(name for name in set(names) if names.count(name) > 1) == []


def test_no_module_of_the_tests_imports_from_a_conftest() -> None:
    """There are several of that name; which one is meant depends on the order in which the tests are collected."""
    modules = sorted((ROOT / "tests").rglob("*.py"))
    assert [path.name for path in modules if "conftest" in imported_packages(path.read_text("utf-8"))] == []
