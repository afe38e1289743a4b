"""The block of the report about relations: every kind, how sure, and what led nowhere."""

from __future__ import annotations

from eval.report.blocks import run_blocks
from eval.report.relation_blocks import relation_block
from eval.report.summary import RelationCount, RunSummary, UnresolvedCount
from eval.report.words import words

EN = words("en")
RUN = RunSummary(
    run_id="r",
    relations=(
        RelationCount(relation="operator_of", basis="identifier", state="current", count=1200),
        RelationCount(relation="operator_of", basis="identifier", state="disputed", count=3),
        RelationCount(relation="operator_of", basis="attribute", state="current", count=7),
        RelationCount(relation="branch_of", basis="corroborated", state="current", count=5),
    ),
    unresolved=(
        UnresolvedCount(relation="operator_of", reason="name_only", count=40),
        UnresolvedCount(relation="succeeds", reason="ambiguous", count=2),
    ),
)


def test_every_kind_has_its_bases_its_disputes_and_what_led_nowhere() -> None:
    made = relation_block(RUN, EN)
    assert made is not None
    assert made.table.rows == (
        ("branch of", "0", "5", "0", "5", "0", "0", "0", "0"),
        ("operator of", "1,203", "0", "7", "1,210", "3", "40", "0", "0"),
        ("succeeds", "0", "0", "0", "0", "0", "0", "2", "0"),
    )
    assert made.table.foot == ("Total", "1,203", "5", "7", "1,215", "3", "40", "2", "0")
    assert "1,215 relations, 99.01% of them" in made.says
    assert "42 more mentions" in made.says
    assert made in run_blocks(RUN, EN)


def test_a_run_without_relations_has_no_block() -> None:
    assert relation_block(RunSummary(run_id="r"), EN) is None
