"""Baseline: what a competent data scientist writes with Splink and DuckDB in an afternoon, following its documentation.

    python -m benchmarks.baselines.plain_splink natural_person FILE --output DIR

Trimmed and upper-cased columns, the library's ready-made comparisons (its Jaro-Winkler and Levenshtein count bytes on
Chinese text, as DuckDB's do), term frequencies, blocking rules on the obvious columns, u from random sampling, m from
expectation maximisation, clusters at match probability 0.95. It knows what the columns mean and nothing of Chinese
names, codes or addresses.
"""

from __future__ import annotations

from typing import Any

import splink.comparison_library as cl
from duckdb import DuckDBPyConnection
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from benchmarks.baselines.script import KEPT_WEIGHT, Linked, filled_columns, run

SEED = 1
SAMPLED_PAIRS = 5e6
CLUSTER_PROBABILITY = 0.95

COLUMNS = {
    "natural_person": {
        "name": "name",
        "id_number": "id_number",
        "birth_date": "birth_date",
        "sex": "sex",
        "phone": "phone",
        "address": "coalesce(address, household_address)",
        "employer_name": "employer_name",
    },
    "legal_person": {
        "name": "name",
        "code": "coalesce(uscc, tax_number)",
        "registration_number": "registration_number",
        "organization_code": "organization_code",
        "legal_rep_name": "legal_rep_name",
        "legal_rep_id_number": "legal_rep_id_number",
        "established_date": "established_date",
        "phone": "phone",
        "address": "address",
    },
}
RULES = {
    "natural_person": (
        ("id_number",),
        ("name", "birth_date"),
        ("name", "phone"),
        ("name", "address"),
        ("name", "employer_name"),
        ("birth_date", "phone"),
        ("birth_date", "address"),
    ),
    "legal_person": (
        ("code",),
        ("name",),
        ("registration_number",),
        ("organization_code",),
        ("legal_rep_name", "phone"),
        ("legal_rep_name", "address"),
        ("legal_rep_name", "established_date"),
        ("name", "legal_rep_id_number"),
    ),
}
# Rules that hold for matches alone, or nearly so: they give the prior.
DETERMINISTIC = {
    "natural_person": (("id_number",), ("name", "birth_date")),
    "legal_person": (("code",), ("name", "legal_rep_name")),
}
TRAINING = {
    "natural_person": (("name", "birth_date"), ("id_number",)),
    "legal_person": (("name", "legal_rep_name"), ("code",)),
}


def comparisons(filled: set[str]) -> list[Any]:
    """Return a ready-made comparison for each column that has values."""
    made = {
        "name": cl.NameComparison("name").configure(term_frequency_adjustments=True),
        "id_number": cl.LevenshteinAtThresholds("id_number", [1, 2]),
        "birth_date": cl.DateOfBirthComparison("birth_date", input_is_string=True),
        "sex": cl.ExactMatch("sex"),
        "code": cl.LevenshteinAtThresholds("code", [1]),
        "registration_number": cl.ExactMatch("registration_number"),
        "organization_code": cl.ExactMatch("organization_code"),
        "legal_rep_name": cl.NameComparison("legal_rep_name").configure(term_frequency_adjustments=True),
        "legal_rep_id_number": cl.LevenshteinAtThresholds("legal_rep_id_number", [1]),
        "established_date": cl.DateOfBirthComparison("established_date", input_is_string=True),
        "phone": cl.LevenshteinAtThresholds("phone", [1, 2]).configure(term_frequency_adjustments=True),
        "address": cl.JaroWinklerAtThresholds("address", [0.95, 0.88]).configure(term_frequency_adjustments=True),
        "employer_name": cl.JaroWinklerAtThresholds("employer_name", [0.92]),
    }
    return [comparison for column, comparison in made.items() if column in filled]


def link(con: DuckDBPyConnection, entity: str, records: str) -> Linked:
    """Link records of an entity type."""
    cleaned = ",\n    ".join(f"nullif(upper(trim({sql})), '') as {name}" for name, sql in COLUMNS[entity].items())
    con.execute(f"create table cleaned as select unique_id,\n    {cleaned}\nfrom {records}\norder by unique_id")
    filled = filled_columns(con, "cleaned")
    api = DuckDBAPI(connection=con)
    linker = Linker(
        api.register("cleaned"),
        SettingsCreator(
            link_type="dedupe_only",
            comparisons=comparisons(filled),
            blocking_rules_to_generate_predictions=[block_on(*rule) for rule in RULES[entity] if filled >= set(rule)],
            retain_matching_columns=False,
        ),
    )
    training = linker.training
    training.estimate_probability_two_random_records_match(
        [block_on(*rule) for rule in DETERMINISTIC[entity] if filled >= set(rule)], recall=0.8
    )
    training.estimate_u_using_random_sampling(max_pairs=SAMPLED_PAIRS, seed=SEED)
    for rule in TRAINING[entity]:
        if filled >= set(rule):
            training.estimate_parameters_using_expectation_maximisation(block_on(*rule))
    scored = linker.inference.predict(threshold_match_weight=KEPT_WEIGHT)
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(
        scored, threshold_match_probability=CLUSTER_PROBABILITY
    )
    return Linked(scored.physical_name, clusters.physical_name)


if __name__ == "__main__":
    run(link, "Plain Splink, following its documentation.")
