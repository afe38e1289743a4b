"""The queue: every case once, in order, however it is paged; and always what cases, decisions and opinions make it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desk_town import NOW
from hypothesis import given, settings
from hypothesis import strategies as st

from golden_records.catalog.place import Place
from golden_records.catalog.store import Catalog, open_catalog
from golden_records.decisions import Person
from golden_records.opinions import add_opinion, broken_opinions, cases_of_records, opinions_of, redact
from golden_records.review_trail import Deed, broken_deeds, deeds_of_case, write_deed
from linkage.entity_config import load_entity_config
from linkage.fields import ENTITIES
from linkage.review import queue
from linkage.review.differences import differences
from linkage.review.evidence import Sheet, side_by_side
from linkage.review.queue import ORDERS, Filters, Order
from linkage.review.topics import _RULES, PENDING, TOPICS, risk_of, topic_of

KINDS = (("review", "score"), ("conflict", "same_number"), ("refused", "exclusive:uscc"), ("refused", "bridge"))


@pytest.fixture(params=["sqlite", "postgresql"])
def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Catalog]:
    place: Place = tmp_path / "catalog.sqlite"
    if request.param == "postgresql":
        place = request.getfixturevalue("database")
    with open_catalog(place) as opened:
        fill(opened, 60)
        yield opened


def fill(catalog: Catalog, cases: int) -> None:
    with catalog.writing():
        catalog.execute(
            "insert into release (release_id, published_at, kind, cause, content_hash, counts, models, manifest) "
            "values (1, ?, 'publish', 'load', 'x', '{}', '{}', '{}')",
            (NOW.isoformat(),),
        )
        for number in range(cases):
            kind, rule = KINDS[number % 4]
            entity = "natural_person" if number % 3 else "legal_person"
            weight = None if number % 11 == 0 else (number * 7 % 50) / 4
            catalog.execute(
                "insert into review_case (case_id, entity_type, kind, rule, match_weight, match_probability, "
                "left_record_id, right_record_id, left_entity_id, right_entity_id, since_release) "
                "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
                (
                    *(f"RC-{number * 7919 % 1000:03}", entity, kind, rule, weight, (number % 10) / 10),
                    *(f"{'ab'[number % 2]}:{number}", f"c:{number}", f"NP{number:010}", f"NP{number + 500:010}"),
                ),
            )


def paged(catalog: Catalog, wanted: Filters, order: Order, limit: int) -> list[str]:
    found: list[str] = []
    after = None
    while True:
        page = queue.find(catalog, wanted, order=order, after=after, limit=limit)
        found += [row.case_id for row in page.rows]
        after = page.after
        if after is None:
            return found


@pytest.mark.parametrize("order", ORDERS)
def test_pages_of_any_size_hold_every_case_once_and_in_order(catalog: Catalog, order: Order) -> None:
    queue.bring_up(catalog)
    whole = queue.find(catalog, Filters(), order=order, limit=1_000).rows
    assert len(whole) == (54 if order == "weight" else 60)
    keys = [{"risk": -row.risk, "age": row.opened_at, "weight": -(row.match_weight or 0)}[order] for row in whole]
    assert [(key, row.case_id) for key, row in zip(keys, whole, strict=True)] == sorted(
        (key, row.case_id) for key, row in zip(keys, whole, strict=True)
    )
    for limit in (1, 7, 59, 60):
        assert paged(catalog, Filters(), order, limit) == [row.case_id for row in whole]


def test_filters_choose_what_they_say(catalog: Catalog) -> None:
    queue.bring_up(catalog)
    catalog.execute("insert into review_assignment values ('RC-000', '周审核', 'now', '周审核')")
    every = {row.case_id: row for row in queue.find(catalog, Filters(), limit=1_000).rows}
    expected: dict[Filters, Any] = {
        Filters(topic="bridge"): lambda row: row.topic == "bridge",
        Filters(entity_type="legal_person"): lambda row: row.entity_type == "legal_person",
        Filters(source="a"): lambda row: "a" in (row.left_source, row.right_source),
        Filters(source="c"): lambda row: True,
        Filters(month="2025-03"): lambda row: True,
        Filters(month="2024-03"): lambda row: False,
        Filters(least_weight=3, most_weight=6): lambda row: row.match_weight is not None and 3 <= row.match_weight <= 6,
        Filters(assignee="周审核"): lambda row: row.case_id == "RC-000",
        Filters(assignee=""): lambda row: row.case_id != "RC-000",
        Filters(state="ruled"): lambda row: False,
        Filters(cases=("RC-000", "RC-919")): lambda row: row.case_id in ("RC-000", "RC-919"),
        Filters(cases=()): lambda row: False,
    }
    for wanted, holds in expected.items():
        assert set(paged(catalog, wanted, "risk", 9)) == {c for c, row in every.items() if holds(row)}, wanted
    seen = queue.overview(catalog)
    assert sum(seen.counts.values()) == 60
    assert (seen.sources, seen.months) == (("a", "b", "c"), ("2025-03",))
    assert queue.overview(catalog, seen) is seen


def content(catalog: Catalog) -> list[tuple[Any, ...]]:
    return catalog.execute("select * from review_queue order by case_id").fetchall()


def test_the_queue_emptied_comes_back_the_same(catalog: Catalog) -> None:
    queue.bring_up(catalog)
    give(catalog, "RC-000", "cannot_tell", "周审核")
    assert queue.bring_up(catalog) == 1
    assert queue.bring_up(catalog) == 0
    before = content(catalog)
    assert [row.state for row in queue.find(catalog, Filters(cases=("RC-000",))).rows] == ["undecided"]
    catalog.execute("delete from review_queue")
    catalog.execute("delete from review_mark")
    queue.bring_up(catalog)
    assert content(catalog) == before


def give(catalog: Catalog, case: str, ruling: Any, who: str, note: str | None = None) -> None:
    with catalog.writing():
        add_opinion(
            catalog, case, by=Person(who, "auditor"), now=NOW, part="first", ruling=ruling, record_id=None,
            reason="other", note=note, decision_id=None, release=1, request_key=f"{case}{who}",
        )  # fmt: skip
        write_deed(catalog, Deed("undecided", who, "auditor", case_id=case, release=1), now=NOW)


def test_cases_that_a_release_ends_leave_the_queue_unless_somebody_spoke_on_them(catalog: Catalog) -> None:
    queue.bring_up(catalog)
    give(catalog, "RC-000", "cannot_tell", "周审核")
    queue.bring_up(catalog)
    with catalog.writing():
        catalog.execute("delete from review_case where left_record_id in ('a:0', 'b:1')")
        catalog.execute(
            "insert into release (release_id, published_at, kind, cause, content_hash, counts, models, manifest) "
            "values (2, ?, 'publish', 'load', 'y', '{}', '{}', '{}')",
            (NOW.isoformat(),),
        )
    queue.bring_up(catalog)
    rows = {row.case_id: row for row in queue.find(catalog, Filters(state="all"), limit=1_000).rows}
    assert len(rows) == 59
    assert rows["RC-000"].state == "ruled"
    assert "RC-919" not in rows


def test_a_dissolved_case_that_people_spoke_on_stays_as_ruled_in_a_queue_made_anew(
    catalog: Catalog,
) -> None:
    queue.bring_up(catalog)
    give(catalog, "RC-000", "cannot_tell", "周审核")
    with catalog.writing():
        catalog.execute(
            "insert into review_case_history (case_id, entity_type, kind, rule, match_weight, left_record_id, "
            "right_record_id, left_entity_id, right_entity_id, since_release, until_release) "
            "select case_id, entity_type, kind, rule, match_weight, left_record_id, right_record_id, left_entity_id, "
            "right_entity_id, since_release, 2 from review_case where case_id = 'RC-000'"
        )
        catalog.execute("delete from review_case where case_id = 'RC-000'")
        catalog.execute(
            "insert into release (release_id, published_at, kind, cause, content_hash, counts, models, manifest) "
            "values (2, ?, 'publish', 'decision', 'y', '{}', '{}', '{}')",
            (NOW.isoformat(),),
        )
    for _ in range(2):
        queue.bring_up(catalog)
        (row,) = queue.find(catalog, Filters(state="all", cases=("RC-000",))).rows
        assert (row.state, row.topic) == ("ruled", "grey_zone")
        assert queue.find(catalog, Filters(cases=("RC-000",))).rows == ()
        catalog.execute("delete from review_queue")
        catalog.execute("delete from review_mark")


def test_what_was_forgotten_leaves_opinions_and_trail_and_the_chains_hold(catalog: Catalog) -> None:
    queue.bring_up(catalog)
    for case, note in (("RC-000", "王小明本人到场"), ("RC-919", "与王小明核对"), ("RC-838", "无关")):
        give(catalog, case, "cannot_tell", "周审核", note)
    gone = cases_of_records(catalog, {"a:0"})
    assert gone == {"RC-000"}
    with catalog.writing(), catalog.connection.unguarded():
        first = redact(catalog, gone, lambda text: "王小明" in text)
    assert first == {"review_opinion": 1, "review_trail": 1}
    assert opinions_of(catalog, "RC-000") == ()
    assert [one.note for one in opinions_of(catalog, "RC-919")] == [None]
    assert [one.note for one in opinions_of(catalog, "RC-838")] == ["无关"]
    assert deeds_of_case(catalog, "RC-000") == []
    assert broken_opinions(catalog) == broken_deeds(catalog) == ()


def test_every_kind_of_case_has_a_name_and_a_question() -> None:
    for kind, rule in (*KINDS, ("refused", "size"), ("refused", "cannot_link"), ("refused", "ambiguous")):
        topic = TOPICS[topic_of(kind, rule)]
        assert topic.title_zh
        assert topic.asks_en.endswith("?")
    known = {rule.name for entity in ENTITIES for rule in load_entity_config(entity).rule}
    assert known >= set(_RULES)
    assert topic_of("split_proposed", None) == "split_proposed"
    assert risk_of("split_proposed", "legal_person", probability=None, records=2, credit_rows=None) > 0


@given(
    st.sampled_from(sorted(set(TOPICS) - {"spot_check"})),
    st.floats(0, 1),
    st.integers(0, 10**6),
    st.integers(0, 10**9),
    st.integers(0, 10**9),
)
def test_more_credit_rows_never_make_a_case_less_urgent(topic: str, p: float, n: int, few: int, more: int) -> None:
    few, more = sorted((few, more))
    risks = [risk_of(topic, "natural_person", probability=p, records=n, credit_rows=rows) for rows in (few, more)]
    assert risks[0] <= risks[1]
    assert risk_of(topic, "legal_person", probability=p, records=n, credit_rows=few) < risks[0]


@settings(max_examples=300)
@given(st.text("王小明晓李1号室 <", max_size=12), st.text("王小明晓李1号室 <", max_size=12))
def test_the_pieces_of_two_values_are_the_values_and_the_same_ones_are_in_both(left: str, right: str) -> None:
    one, other = differences(left, right)
    assert "".join(piece.text for piece in one) == left
    assert "".join(piece.text for piece in other) == right
    if left and right:
        assert [p.text for p in one if p.is_same] == [p.text for p in other if p.is_same]
    assert (left != right) or all(piece.is_same for piece in (*one, *other))


def test_pending_states_are_those_somebody_must_look_at() -> None:
    assert set(PENDING) == {"open", "waiting", "disputed", "undecided"}


def test_the_page_for_auditors_names_every_kind_with_its_gravity() -> None:
    page = (Path(__file__).parents[3] / "docs" / "review-desk.md").read_text("utf-8")
    order = page.split("### Order")[1].split("###")[0]
    for topic in TOPICS.values():
        assert f"| `{topic.name}` {topic.title_zh} |" in page
        assert str(topic.gravity) in order


def test_values_that_look_alike_masked_and_are_not_are_told_apart() -> None:
    def sheet(record: str, **values: str) -> Sheet:
        return Sheet(record, "a", None, None, values, {})

    whole = ({"name": "王小明", "sex": "男", "phone": "1"}, {"name": "王晓明", "sex": "男", "address": "宝安"})
    left, right = sheet("a:1", name="王**", sex="男", phone="***"), sheet("a:2", name="王**", sex="男", address="***")
    rows = {row.field: row.outcome for row in side_by_side("natural_person", left, right, whole=whole)}
    assert rows == {"name": "masked", "sex": "equal", "phone": "one", "address": "one"}
