"""The benchmark of relations on a village: figures that fit together."""

from __future__ import annotations

from pathlib import Path

from benchmarks.relations import measure, run_months


def test_the_figures_of_a_village_fit_together(tmp_path: Path) -> None:
    workspace = run_months(tmp_path, people=150, organisations=60, months=1, seed=5)
    figures = measure(workspace, tmp_path / "district" / "truth")
    assert {row["relation"] for row in figures["precision"]} >= {"legal_representative_of", "operator_of"}
    for row in figures["precision"]:
        assert 0 <= row["right_now"] <= row["right_ever"] <= row["relations"]
    for row in figures["recall"]:
        assert 0 <= row["published_as_current"] <= row["published"] <= row["true_relations"]
    sure = [row for row in figures["precision"] if row["basis"] == "identifier"]
    assert sum(row["right_ever"] for row in sure) > 0.95 * sum(row["relations"] for row in sure)
    assert all(row["one_organisation"] <= row["pairs"] for row in figures["second_pass"])
