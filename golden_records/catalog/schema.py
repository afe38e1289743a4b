"""The tables of the catalog store, declared once: publishing, reading and the documentation test work from this.

Four kinds of table:

* *versioned*: hold the current release. Every row carries `since_release`; a row that changed or vanished moves to
  `<table>_history` with `until_release` (the first release without it), so that any past release can be read.
  Every row has an owner (an entity or a review case): what changed is found owner by owner.
* *appended*: `release`, `event`, `redirect`. Rows are added and never changed.
* *apart*: `decision`, `decision_event`, `forgetting`, `access_log`, `api_token` and the review desk's `review_…` but
  `review_case`. No release ever touches them.
* *lookup*: `lookup_…`. What finding an entity by name, address and the like needs, of the current release alone; a run
  brings them up to date with its release.

Types are those every store has: text, whole number (64 bit), number, and bytes for what is packed. Dates are ISO text,
yes-no is 1 or 0, lists and objects are JSON text. The migrations make these tables; a test holds both equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from matchers.standard_codes import CODED

ColumnType = Literal["text", "bigint", "double precision", "blob"]


@dataclass(frozen=True)
class Column:
    """A column; a required one is never null."""

    name: str
    type: ColumnType = "text"
    required: bool = False


@dataclass(frozen=True)
class Index:
    """A secondary index, dropped and made anew when most of its table is written."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table of the catalog.

    Attributes:
        name: its name in every store.
        columns: its columns, without `since_release` for versioned tables.
        key: the columns of its primary key.
        owner: versioned tables: the column with the entity or review case a row belongs to.
        indexes: secondary indexes.
        part: the part of a release that its rows belong to, if that is not the entity type of their owner; the rows of
            an owner in such a part are followed apart from its others.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    owner: str | None = None
    indexes: tuple[Index, ...] = ()
    part: str | None = None

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of `columns`, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def owner_prefix(self) -> str:
        """What is put before an owner's id in `fingerprint`."""
        return f"{self.part}:" if self.part else ""

    @property
    def history(self) -> str:
        """The name of the table that keeps this one's past rows."""
        return f"{self.name}_history"

    @property
    def history_indexes(self) -> tuple[Index, ...]:
        """The secondary indexes of the history, the same columns as the table's own."""
        return tuple(Index(index.name.replace("_by_", "_history_by_"), index.columns) for index in self.indexes)


def _texts(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name) for name in names)


def _required(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, required=True) for name in names)


def _numbers(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, "bigint") for name in names)


_SEEN = (*_texts("first_seen", "last_seen"), *_numbers("sources"))
_MADE_OF = (*_numbers("records", "sources"), *_texts("conflicts", "anchor"))

LEGAL_PERSON = Table(
    "legal_person",
    (
        *_required("entity_id"),
        *_texts("name", "entity_kind", "uscc", "registration_number", "organization_code", "tax_number"),
        *_texts("legal_rep_name", "legal_rep_id_type", "legal_rep_id_number"),
        *_texts("address", "phone", "email", "established_date", "status"),
        *_MADE_OF,
    ),
    key=("entity_id",),
    owner="entity_id",
)
NATURAL_PERSON = Table(
    "natural_person",
    (
        *_required("entity_id"),
        *_texts("name", "id_type", "id_number", "birth_date", "sex", "phone", "address", "household_address"),
        *_texts("employer_name", "employer_uscc", "ethnicity", "nationality"),
        *_texts(*CODED),
        *_MADE_OF,
    ),
    key=("entity_id",),
    owner="entity_id",
)
IDENTIFIER = Table(
    "identifier",
    (*_required("entity_id", "scheme", "value"), Column("valid", "bigint", required=True), *_SEEN),
    key=("entity_id", "scheme", "value"),
    owner="entity_id",
    indexes=(Index("identifier_by_value", ("scheme", "value")),),
)
NAME = Table("name", (*_required("entity_id", "name", "kind"), *_SEEN), key=("entity_id", "name"), owner="entity_id")
ADDRESS = Table(
    "address",
    (*_required("entity_id", "address", "kind"), *_SEEN),
    key=("entity_id", "kind", "address"),
    owner="entity_id",
)
PHONE = Table("phone", (*_required("entity_id", "phone"), *_SEEN), key=("entity_id", "phone"), owner="entity_id")
RECORD_LINK = Table(
    "record_link",
    (
        *_required("source", "source_record_id", "entity_id", "link_basis"),
        Column("probability", "double precision"),
    ),
    key=("source", "source_record_id"),
    owner="entity_id",
    indexes=(Index("record_link_by_entity", ("entity_id",)),),
)
RELATION = Table(
    "relation",
    (
        *_required("entity_id", "relation", "other_entity_id", "basis", "rule", "state"),
        *_texts("first_seen", "last_seen", "valid_from", "valid_to"),
        *_numbers("records", "sources"),
        *_texts("said_by"),
    ),
    key=("entity_id", "relation", "other_entity_id"),
    owner="entity_id",
    part="relation",
    indexes=(Index("relation_by_other", ("other_entity_id",)),),
)
# Relations from a legal person; all others are from a natural person. Both lead to a legal person.
BETWEEN_LEGAL_PERSONS = ("branch_of", "succeeds")
PROVENANCE = Table(
    "provenance",
    (
        *_required("entity_id", "attribute", "value", "record_id", "rule"),
        *_numbers("support", "conflict"),
        *_texts("runners_up"),
    ),
    key=("entity_id", "attribute"),
    owner="entity_id",
)
REVIEW_CASE = Table(
    "review_case",
    (
        *_required("case_id", "entity_type", "kind"),
        *_texts("rule"),
        Column("match_weight", "double precision"),
        Column("match_probability", "double precision"),
        *_texts("left_record_id", "right_record_id", "left_entity_id", "right_entity_id", "detail"),
    ),
    key=("case_id",),
    owner="case_id",
    indexes=(
        Index("review_case_by_left", ("left_entity_id",)),
        Index("review_case_by_right", ("right_entity_id",)),
    ),
)
FINGERPRINT = Table(
    "fingerprint",
    (*_required("owner_id", "entity_type"), Column("fingerprint", "bigint", required=True)),
    key=("owner_id",),
    owner="owner_id",
)

VERSIONED = (
    LEGAL_PERSON,
    NATURAL_PERSON,
    IDENTIFIER,
    NAME,
    ADDRESS,
    PHONE,
    RECORD_LINK,
    RELATION,
    PROVENANCE,
    REVIEW_CASE,
    FINGERPRINT,
)

RELEASE = Table(
    "release",
    (
        Column("release_id", "bigint", required=True),
        *_required("published_at", "kind", "cause", "content_hash"),
        *_numbers("restores"),
        *_required("counts", "models", "manifest"),
    ),
    key=("release_id",),
)
EVENT = Table(
    "event",
    (
        *_required("event_id"),
        Column("release", "bigint", required=True),
        *_required("entity_id", "event", "cause"),
        *_texts("as_of", "detail"),
    ),
    key=("event_id",),
    indexes=(Index("event_by_entity", ("entity_id",)),),
)
REDIRECT = Table(
    "redirect",
    (*_required("old_id"), Column("release", "bigint", required=True), *_texts("entity_id", "anchor")),
    key=("old_id", "release"),
    indexes=(Index("redirect_by_entity", ("entity_id",)),),
)

APPENDED = (RELEASE, EVENT, REDIRECT)

DECISION = Table(
    "decision",
    (
        Column("decision_id", "bigint", required=True),
        *_required("decided_at", "actor", "role", "entity_type", "ruling", "reason"),
        *_texts("case_id", "left_record_id", "right_record_id"),
        *_numbers("revokes"),
        *_texts("detail", "previous_hash"),
        *_required("hash"),
    ),
    key=("decision_id",),
)
DECISION_EVENT = Table(
    "decision_event",
    (
        Column("event_id", "bigint", required=True),
        Column("decision_id", "bigint", required=True),
        *_required("event", "at", "actor", "role"),
        *_texts("note", "previous_hash"),
        *_required("hash"),
    ),
    key=("event_id",),
)
FORGETTING = Table(
    "forgetting",
    (
        Column("event_id", "bigint", required=True),
        Column("forgetting_id", "bigint", required=True),
        *_required("event", "at", "actor", "role", "reason"),
        Column("records", "bigint", required=True),
        Column("entities", "bigint", required=True),
        *_required("tokens"),
        *_texts("detail", "previous_hash"),
        *_required("hash"),
    ),
    key=("event_id",),
)
ACCESS_LOG = Table(
    "access_log",
    (
        Column("entry_id", "bigint", required=True),
        *_required("at", "actor", "role", "action"),
        *_texts("organization", "purpose", "authorization_ref", "entity_id", "fields"),
        *_numbers("rows"),
        *_texts("result_hash", "previous_hash"),
        *_required("hash"),
    ),
    key=("entry_id",),
    indexes=(
        Index("access_log_by_entity", ("entity_id",)),
        Index("access_log_by_reference", ("authorization_ref",)),
    ),
)
API_TOKEN = Table(
    "api_token",
    (
        *_required("token_hash", "name", "role"),
        *_texts("organization"),
        *_required("created_at"),
        *_texts("expires_at", "revoked_at"),
    ),
    key=("token_hash",),
)

REVIEW_SESSION = Table(
    "review_session",
    (
        *_required("session_hash", "token_hash", "created_at", "expires_at"),
        *_texts("ended_at", "subject", "purpose", "purpose_until"),
    ),
    key=("session_hash",),
)
REVIEW_ASSIGNMENT = Table(
    "review_assignment", _required("case_id", "assignee", "assigned_at", "assigned_by"), key=("case_id",)
)
REVIEW_OPINION = Table(
    "review_opinion",
    (
        Column("opinion_id", "bigint", required=True),
        *_required("case_id", "at", "actor", "role", "part", "ruling"),
        *_texts("record_id"),
        *_required("reason"),
        *_texts("note"),
        *_numbers("decision_id"),
        Column("release", "bigint", required=True),
        *_required("request_key"),
        *_texts("previous_hash"),
        *_required("hash"),
    ),
    key=("opinion_id",),
    indexes=(
        Index("review_opinion_by_case", ("case_id",)),
        Index("review_opinion_by_request", ("request_key",)),
    ),
)
REVIEW_TRAIL = Table(
    "review_trail",
    (
        Column("entry_id", "bigint", required=True),
        *_required("at", "actor", "role", "action"),
        *_texts("organization", "case_id", "entity_id"),
        *_numbers("decision_id", "release"),
        *_texts("evidence_hash", "detail", "previous_hash"),
        *_required("hash"),
    ),
    key=("entry_id",),
    indexes=(
        Index("review_trail_by_case", ("case_id",)),
        Index("review_trail_by_decision", ("decision_id",)),
    ),
)
REVIEW_QUEUE = Table(
    "review_queue",
    (
        *_required("case_id", "entity_type", "topic"),
        *_texts("left_source", "right_source"),
        *_required("opened_at"),
        Column("match_weight", "double precision"),
        *_numbers("records", "credit_rows"),
        Column("risk", "bigint", required=True),
        *_required("state"),
        Column("pending", "bigint", required=True),
    ),
    key=("case_id",),
    indexes=(
        Index("review_queue_by_risk", ("pending", "risk", "case_id")),
        Index("review_queue_by_age", ("pending", "opened_at", "case_id")),
        Index("review_queue_by_weight", ("pending", "match_weight", "case_id")),
        Index("review_queue_of_all", ("risk", "case_id")),
    ),
)
REVIEW_MARK = Table("review_mark", (*_required("name"), Column("value", "bigint", required=True)), key=("name",))

DESK = (REVIEW_SESSION, REVIEW_ASSIGNMENT, REVIEW_OPINION, REVIEW_TRAIL, REVIEW_QUEUE, REVIEW_MARK)
APART = (DECISION, DECISION_EVENT, FORGETTING, ACCESS_LOG, API_TOKEN, *DESK)

LOOKUP_ENTITY = Table(
    "lookup_entity",
    (
        Column("number", "bigint", required=True),
        Column("profile_ids", "blob", required=True),
        Column("contents", "blob", required=True),
        *_texts("shared"),
    ),
    key=("number",),
)
LOOKUP_BUCKET = Table(
    "lookup_bucket",
    (Column("number", "bigint", required=True), Column("blocks", "blob", required=True)),
    key=("number",),
)
LOOKUP_FREQUENCY = Table(
    "lookup_frequency",
    (*_required("kind", "field", "value"), Column("frequency", "double precision", required=True)),
    key=("kind", "field", "value"),
)
LOOKUP_MODEL = Table(
    "lookup_model",
    (
        *_required("kind", "config", "model", "keys_made_by", "frequencies_hash"),
        Column("bucket_bits", "bigint", required=True),
    ),
    key=("kind",),
)

LOOKUP = (LOOKUP_ENTITY, LOOKUP_BUCKET, LOOKUP_FREQUENCY, LOOKUP_MODEL)

# Rows of these are never changed or removed; the store itself refuses. A forgetting alone may take personal values out
# of `redirect`, `decision`, `decision_event`, `review_opinion` and `review_trail`
# (see `golden_records.catalog.erasure`).
UNALTERABLE = (
    "release",
    "event",
    "redirect",
    "decision",
    "decision_event",
    "forgetting",
    "access_log",
    "review_opinion",
    "review_trail",
)

TABLES = (*VERSIONED, *APPENDED, *APART, *LOOKUP)
