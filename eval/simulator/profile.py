"""The simulator's settings: how the district is made up, what each source sees, how often each channel errs.

The shipped profile is `configs/simulator.toml`; every key is explained there and in `docs/simulator.md`. A probability
outside [0, 1], an unknown key or a missing one is a `SimulatorError` that says where.
"""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0)]


class SimulatorError(ValueError):
    """The simulator was asked for something it cannot do; the message names place, value and remedy."""


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HouseholdMix(_Settings):
    """Weights of household kinds."""

    single: Weight
    couple: Weight
    couple_one_child: Weight
    couple_two_children: Weight
    couple_three_children: Weight
    three_generations: Weight
    flatmates: Weight


class PopulationSettings(_Settings):
    """How natural persons are made up."""

    households: HouseholdMix
    local_share: Share
    twin_share: Share
    generation_character_share: Share
    popular_name_share: Share
    single_character_share: Share
    rare_character_share: Share
    joined_surname_share: Share
    former_name_share: Share
    minority_share: Share
    hong_kong_macau_share: Share
    taiwan_share: Share
    foreign_share: Share
    second_document_share: Share
    household_phone_share: Share
    shared_number_share: Share


class OrganisationMix(_Settings):
    """Weights of organisation kinds."""

    enterprise: Weight
    individual_business: Weight
    branch: Weight
    partnership: Weight
    institution: Weight
    social_organisation: Weight
    village_collective: Weight
    grassroots_committee: Weight


class OrganisationSettings(_Settings):
    """How legal persons are made up."""

    kinds: OrganisationMix
    before_2015_share: Share
    sibling_share: Share
    secretary_address_share: Share
    generic_brand_share: Share
    similar_brand_share: Share
    operator_named_share: Share
    nameless_share: Share
    former_name_share: Share
    representative_phone_share: Share


class MonthSettings(_Settings):
    """Share of subjects that something happens to in a month."""

    births: Share
    arrivals: Share
    deaths: Share
    departures: Share
    moves: Share
    phone_changes: Share
    renames: Share
    job_changes: Share
    document_renewals: Share
    openings: Share
    closures: Share
    company_renames: Share
    company_moves: Share
    representative_changes: Share
    operator_changes: Share
    reregistrations: Share


class SourceSettings(_Settings):
    """What one source sees of the district, and how it keeps up."""

    coverage: Share
    duplicates: Share
    update: Share
    removal: Share
    correction: Share


class RowRates(_Settings):
    """Damaged rows in a channel's files, per row."""

    garbage_row: Share = 0.0
    nul_row: Share = 0.0
    repeated_row: Share = 0.0


class ErrorRates(_Settings):
    """Probability of each error class for a value it can happen to; see `docs/simulator.md`."""

    former_name: Share = 0.0
    latin_name: Share = 0.0
    surname_swap: Share = 0.0
    homophone_character: Share = 0.0
    shape_character: Share = 0.0
    rare_character: Share = 0.0
    transliteration: Share = 0.0
    character_dropped: Share = 0.0
    traditional_glyphs: Share = 0.0
    interpunct_variant: Share = 0.0
    name_title: Share = 0.0
    name_masked: Share = 0.0
    name_spaces: Share = 0.0
    row_shift: Share = 0.0
    id_of_relative: Share = 0.0
    id_other_document: Share = 0.0
    id_missing: Share = 0.0
    id_placeholder: Share = 0.0
    id_15_digits: Share = 0.0
    id_digit_error: Share = 0.0
    id_transposed: Share = 0.0
    id_masked: Share = 0.0
    id_scientific: Share = 0.0
    id_rounded: Share = 0.0
    id_letters: Share = 0.0
    id_spaces: Share = 0.0
    id_full_width: Share = 0.0
    id_lower_x: Share = 0.0
    id_type_missing: Share = 0.0
    id_type_wrong: Share = 0.0
    code_missing: Share = 0.0
    code_superseded: Share = 0.0
    code_is_operator_id: Share = 0.0
    code_placeholder: Share = 0.0
    code_digit_error: Share = 0.0
    code_transposed: Share = 0.0
    code_letters: Share = 0.0
    code_masked: Share = 0.0
    code_scientific: Share = 0.0
    code_rounded: Share = 0.0
    code_spaces: Share = 0.0
    code_full_width: Share = 0.0
    operator_for_firm: Share = 0.0
    parent_for_branch: Share = 0.0
    trade_variant: Share = 0.0
    brand_homophone: Share = 0.0
    digit_variant: Share = 0.0
    region_short: Share = 0.0
    region_dropped: Share = 0.0
    form_short: Share = 0.0
    form_dropped: Share = 0.0
    short_name: Share = 0.0
    bracket_variant: Share = 0.0
    former_name_note: Share = 0.0
    status_note: Share = 0.0
    name_is_code: Share = 0.0
    name_punctuation: Share = 0.0
    address_stale: Share = 0.0
    address_restyled: Share = 0.0
    address_old_street: Share = 0.0
    address_wrong_number: Share = 0.0
    address_truncated: Share = 0.0
    address_note: Share = 0.0
    address_full_width: Share = 0.0
    address_missing: Share = 0.0
    phone_stale: Share = 0.0
    phone_shared: Share = 0.0
    phone_digit_error: Share = 0.0
    phone_placeholder: Share = 0.0
    phone_masked: Share = 0.0
    phone_format: Share = 0.0
    phone_missing: Share = 0.0
    date_digit_error: Share = 0.0
    date_swapped: Share = 0.0
    date_partial: Share = 0.0
    date_impossible: Share = 0.0
    date_placeholder: Share = 0.0
    date_missing: Share = 0.0
    sex_wrong: Share = 0.0
    sex_missing: Share = 0.0


class ChannelErrors(_Settings):
    """Errors of the five channels; a source takes its channel's."""

    city_platform: ErrorRates
    district_department: ErrorRates
    grid: ErrorRates
    utility: ErrorRates
    credit_bureau: ErrorRates


class ChannelRows(_Settings):
    """Damaged rows of the five channels."""

    city_platform: RowRates
    district_department: RowRates
    grid: RowRates
    utility: RowRates
    credit_bureau: RowRates


class Sources(_Settings):
    """Settings of every simulated source, by its name."""

    population_registry: SourceSettings
    social_insurance: SourceSettings
    grid_residents: SourceSettings
    water_customers: SourceSettings
    telecom_users: SourceSettings
    volunteers: SourceSettings
    professional_titles: SourceSettings
    court_persons: SourceSettings
    credit_bureau_persons: SourceSettings
    market_registry: SourceSettings
    tax_registration: SourceSettings
    social_insurance_units: SourceSettings
    administrative_penalties: SourceSettings
    court_judgments: SourceSettings
    civil_affairs: SourceSettings
    grid_premises: SourceSettings
    electricity_customers: SourceSettings
    credit_bureau_companies: SourceSettings


class SimulatorProfile(_Settings):
    """All settings of a simulated district."""

    start_month: Annotated[str, Field(pattern=r"^(19|20)\d\d-(0[1-9]|1[0-2])$")]
    xlsx_rows: Annotated[int, Field(ge=1, le=1_000_000)]
    population: PopulationSettings
    organisations: OrganisationSettings
    months: MonthSettings
    sources: Sources
    rows: ChannelRows
    errors: ChannelErrors

    def source(self, name: str) -> SourceSettings:
        """Return the settings of a source."""
        settings: SourceSettings = getattr(self.sources, name)
        return settings

    def error_rates(self, channel: str) -> ErrorRates:
        """Return the error rates of a channel."""
        rates: ErrorRates = getattr(self.errors, channel)
        return rates

    def row_rates(self, channel: str) -> RowRates:
        """Return the damaged-row rates of a channel."""
        rates: RowRates = getattr(self.rows, channel)
        return rates


ERROR_CLASSES: tuple[str, ...] = tuple(ErrorRates.model_fields)


def default_profile_path() -> Path:
    """Return the path of the shipped profile."""
    return Path(str(resources.files("configs").joinpath("simulator.toml")))


def load_profile(path: Path | None = None) -> SimulatorProfile:
    """Read and check a profile.

    Args:
        path: a TOML file; the shipped profile if absent.

    Raises:
        SimulatorError: unreadable, not TOML, an unknown or missing key, a value out of range.
    """
    path = path or default_profile_path()
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SimulatorError(f"{path}: cannot be read as TOML: {error}") from error
    try:
        return SimulatorProfile.model_validate(content)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, item['loc']))}: {item['msg']}{_known_keys(item['loc'], item['type'])}"
            for item in error.errors()
        )
        raise SimulatorError(f"{path}: {problems}") from error


def _known_keys(location: tuple[str | int, ...], kind: str) -> str:
    if kind != "extra_forbidden":
        return ""
    model: type[BaseModel] = SimulatorProfile
    for key in location[:-1]:
        annotation = model.model_fields[str(key)].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            break
        model = annotation
    return f" (known: {', '.join(model.model_fields)})"
