"""Made-up figures of a run, and edge cases of them, for the tests of the report."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import duckdb

from eval.alarms import Alarm, Totals
from eval.calibration import PairCount, RuleCount, calibrate
from eval.metrics import Metrics, evaluate
from eval.report.calibration import CalibrationReport
from eval.report.explanation import Check, Evidence, PairExplanation, Separation, ShownField
from eval.report.summary import (
    BlockingRule,
    ClusterSize,
    EntitySection,
    FieldCompleteness,
    KindCount,
    ModelLevel,
    RelationCount,
    RunSummary,
    SourceRows,
    Stage,
    UnresolvedCount,
    VerdictCount,
    WeightHistogram,
)
from eval.stability import ChangeCount, Stability

SOURCES = ("市场监管", "税务", "社保", "民政", "公安", "卫健", "网格", "水务")


def metrics() -> Metrics:
    """A partition with misses and two wrong merges, over several sources and classes of error."""
    with duckdb.connect(config={"python_enable_replacements": False}) as con:
        con.execute(
            """
            create table truth as
            select ['市场监管', '税务', '社保', '民政', '网格'][1 + i % 5] as source, i as source_record_id, i // 4 as entity_id,
                case when i % 7 = 0 then ['地址迁移', '同音字'] when i % 11 = 0 then ['证件缺失'] else [] end as errors
            from range(4000) r(i)
            """
        )
        con.execute(
            """
            create table clusters as
            select source, source_record_id,
                case when i % 9 = 0 and source = '网格' then 'x' || i when e in (3, 4) then 'm' else 'c' || e end as entity_id
            from (select source, source_record_id, source_record_id as i, entity_id as e from truth)
            where i % 500 <> 1
            """
        )
        return evaluate(con, clusters="clusters", truth="truth")


def histogram(scale: int = 1_000_000) -> WeightHistogram:
    """Two peaks, with the bounds in the valley."""
    edges = tuple(float(edge) for edge in range(-24, 37))

    def peak(centre: float, width: float, size: float, low: float, high: float) -> tuple[int, ...]:
        middles = (edge + 0.5 for edge in edges[:-1])
        return tuple(int(size * math.exp(-(((x - centre) / width) ** 2))) if low <= x < high else 0 for x in middles)

    counts = {
        "auto": peak(22, 6, scale / 6, 12, 99),
        "review": peak(6, 7, scale / 60, 4, 12),
        "reject": peak(-9, 5, scale, -99, 4),
        "conflict": peak(2, 9, scale / 4000, -20, 30),
    }
    return WeightHistogram(edges=edges, counts=counts, review_weight=4.0, auto_weight=12.0)


def model() -> tuple[ModelLevel, ...]:
    """Parameters of four comparisons."""
    table = (
        ("name", (("exact", "完全相同", 0.83, 0.0002), ("pinyin", "读音相同", 0.06, 0.001), ("near", "一字之差", 0.05, 0.01), ("different", "不同", 0.06, 0.9888))),
        ("uscc", (("same", "代码相同", 0.97, 0.000001), ("one_off", "一位之差", 0.02, 0.00001), ("different", "不同", 0.01, 0.999989))),
        ("address", (("same_unit", "同一房号", 0.55, 0.0004), ("same_building", "同一楼栋", 0.2, 0.004), ("same_road", "同一道路", 0.1, 0.03), ("different", "不同", 0.15, 0.9656))),
        ("phone", (("same", "号码相同", 0.6, 0.0003), ("different", "不同", 0.4, 0.9997))),
    )  # fmt: skip
    return tuple(
        ModelLevel(
            comparison=name, level=level, m=m, u=u, weight=math.log2(m / u), reason_zh=reason, reason_en=level.replace("_", " ")
        )
        for name, levels in table
        for level, reason, m, u in levels
    )  # fmt: skip


def section(entity: str = "legal_person", *, with_metrics: bool = True, scale: int = 1) -> EntitySection:
    """A full section."""
    sources = tuple(
        SourceRows(source=s, rows_in=90_417 * scale * (8 - i), kept=88_000 * scale * (8 - i), quarantined=417 * scale * (8 - i), superseded=2_000 * scale * (8 - i))
        for i, s in enumerate(SOURCES)
    )  # fmt: skip
    fields = (
        "name",
        "uscc",
        "registration_number",
        "legal_rep_name",
        "address",
        "phone",
        "email",
        "established_date",
        "status",
    )
    return EntitySection(
        entity=entity,
        sources=sources,
        quarantine=tuple(
            KindCount(kind=k, count=c * scale)
            for k, c in (("bad_date", 9120), ("missing_name", 3811), ("duplicate_record", 1190), ("nul_byte", 81), ("value_too_long", 4))
        ),
        warnings=(KindCount(kind="identifier_in_scientific_notation", count=212), KindCount(kind="full_width", count=18_221)),
        profiles=2_010_448 * scale,
        blocking=(
            BlockingRule(rule="统一社会信用代码", pairs=2_100_000 * scale, new_pairs=2_100_000 * scale, kept_pairs=2_090_011 * scale),
            BlockingRule(rule="注册号", pairs=900_000 * scale, new_pairs=120_000 * scale, kept_pairs=98_000 * scale),
            BlockingRule(rule="名称核心词 + 街道", pairs=6_400_000 * scale, new_pairs=5_100_000 * scale, kept_pairs=210_000 * scale, capped_blocks=14, capped_pairs=310_000),
            BlockingRule(rule="电话", pairs=3_100_000 * scale, new_pairs=2_900_000 * scale, kept_pairs=4_100 * scale, capped_blocks=3, capped_pairs=88_000),
        ),
        weights=histogram(),
        verdicts=(
            VerdictCount(verdict="auto", rule="same_uscc", pairs=2_090_011),
            VerdictCount(verdict="auto", pairs=310_442),
            VerdictCount(verdict="review", pairs=20_412),
            VerdictCount(verdict="review", rule="different_uscc_else_equal", pairs=311),
            VerdictCount(verdict="reject", pairs=7_700_220),
            VerdictCount(verdict="reject", rule="branch_and_parent", pairs=98_110),
            VerdictCount(verdict="conflict", rule="same_uscc_unrelated_names", pairs=1_204),
        ),
        cluster_sizes=tuple(ClusterSize(size=n, clusters=max(1, int(400_000 / n**2.6))) for n in (*range(1, 20), 24, 31, 58)),
        contested=(KindCount(kind="two_identifiers", count=41), KindCount(kind="cannot_link", count=7)),
        events=tuple(KindCount(kind=k, count=c) for k, c in (("created", 20_123), ("extended", 81_000), ("merged", 412), ("split", 31), ("moved", 77))),
        review_cases=20_771,
        completeness=tuple(
            FieldCompleteness(field=f, entities=904_000, filled=904_000 - 97_000 * i, conflicts=4_000 * (i % 4) * (i + 1)) for i, f in enumerate(fields)
        ),
        model=model(),
        model_hash="3f9a0c77d1e2",
        metrics=metrics() if with_metrics else None,
        stability=stability(),
    )  # fmt: skip


def stability() -> Stability:
    """Changes of several kinds and causes, some without a cause, and totals that jumped."""
    return Stability(
        kept=880_120,
        unchanged=799_120,
        changes=(
            ChangeCount("new", "new_record", 20_100),
            ChangeCount("new", "changed_record", 23),
            ChangeCount("merged", "new_record", 300),
            ChangeCount("merged", "changed_record", 105),
            ChangeCount("merged", "unexplained", 7),
            ChangeCount("split", "gone_record", 31),
            ChangeCount("moved", "lost_link", 77),
            ChangeCount("retired", "gone_record", 12),
        ),
        unexplained=tuple(f"LP00000000{i}0" for i in range(7)),
        new_records=41_000,
        gone_records=390,
        changed_records=12_204,
        totals=Totals(904_000, 1_104_000, 20_771, 9_120, {"税务": 400_000}),
        alarms=(Alarm("review_cases", None, 12_000, 20_771, 0.25), Alarm("source_rows", "税务", 500_000, 400_000, 0.1), Alarm("quarantine", None, 0, 9_120, 0.5)),
    )  # fmt: skip


def full() -> RunSummary:
    """A monthly run of both entity types."""
    steps = ("ingest", "standardise", "profile", "block", "score", "judge", "cluster", "identify", "survive", "publish")
    stages = tuple(
        Stage(name=name, entity=entity, seconds=4 + 37.5 * ((i * 7) % 5) * (1 + j), peak_mb=900 + 740 * ((i * 3) % 5) * (1 + j), rows_out=2_000_000 + i)
        for j, entity in enumerate(("legal_person", "natural_person"))
        for i, name in enumerate(steps)
    )  # fmt: skip
    return RunSummary(
        run_id="2025-03-r1",
        finished_at="2025-04-02 06:41",
        release_id="R000017",
        config_hash="b81c2f09a4",
        versions={"guiyi": "0.1.0", "splink": "5.0.0", "duckdb": "2.0.0", "python": "3.11.9"},
        entities=(section(), section("natural_person", with_metrics=False, scale=6)),
        relations=relations(),
        unresolved=(UnresolvedCount(relation="operator_of", reason="name_only", count=812),),
        stages=stages,
    )


def relations() -> tuple[RelationCount, ...]:
    """Relations of several kinds, sure and less sure, one of them disputed."""
    return (
        RelationCount(relation="legal_representative_of", basis="identifier", state="current", count=41_233),
        RelationCount(relation="legal_representative_of", basis="attribute", state="disputed", count=17),
        RelationCount(relation="branch_of", basis="corroborated", state="current", count=1_204),
    )


def one_source() -> RunSummary:
    """The smallest run that links anything."""
    rows = SourceRows(source="a.csv", rows_in=3, kept=3)
    sizes = (ClusterSize(size=1, clusters=1), ClusterSize(size=2, clusters=1))
    verdict = VerdictCount(verdict="auto", pairs=1)
    weights = WeightHistogram(edges=(20.0, 21.0), counts={"auto": (1,)}, review_weight=4, auto_weight=12)
    section = EntitySection(
        entity="natural_person", sources=(rows,), cluster_sizes=sizes, verdicts=(verdict,), weights=weights
    )
    return RunSummary(run_id="link", entities=(section,), stages=(Stage(name="ingest", seconds=0.2),))


def crowded() -> RunSummary:
    """Sixty reasons, forty sources with long names, rows that do not add up, and text that tries to break the page."""
    long = "某区某街道办事处综合行政执法与社会治安综合治理信息采集专用数据通道"
    sources = tuple(SourceRows(source=f"{long}{i:02}", rows_in=1000 + i, kept=900, quarantined=100) for i in range(40))
    reasons = tuple(
        KindCount(kind=f"reason_{i:02}_{'very_long_' * (i % 5)}end", count=6000 // (i + 1)) for i in range(60)
    )
    hostile = (
        "</script><script>document.title='broken'</script>",
        "{{ 7*7 }}",
        "<b>粗</b>&amp;",
        "\u202eabc",
        "🙂" * 60,
    )
    return RunSummary(
        run_id="x" * 300,
        title=hostile[0] + "很长的标题" * 40,
        entities=(
            EntitySection(
                entity="legal_person",
                sources=sources,
                quarantine=reasons,
                warnings=tuple(KindCount(kind=text, count=1) for text in hostile),
                blocking=tuple(
                    BlockingRule(rule=text, pairs=10**12, new_pairs=0, capped_blocks=2) for text in (*hostile, long * 3)
                ),
                verdicts=tuple(VerdictCount(verdict=text, rule=text, pairs=10**9) for text in hostile),
                cluster_sizes=(ClusterSize(size=5_000_000, clusters=1),),
                completeness=(FieldCompleteness(field=hostile[0], entities=0, filled=0),),
                model=(ModelLevel(comparison=hostile[0], level="all", m=0, u=1, weight=-math.inf), ModelLevel(comparison="phone", level="x", weight=1.0)),
            ),
        ),
    )  # fmt: skip


def empty() -> RunSummary:
    """A run that did nothing."""
    return RunSummary(run_id="empty")


def pair(verdict: str = "review") -> PairExplanation:
    """Two records of a fictional person."""
    left = (
        ShownField("name", "欧*娜"),
        ShownField("id_number", "4403**********12", "18 位"),
        ShownField("birth_date", "1980-05"),
        ShownField("address", "宝安区某路 1 号", "宝安区|某路|1"),
        ShownField("ethnicity", "汉族"),
    )
    right = (
        ShownField("name", "区*娜"),
        ShownField("birth_date", None, "1980-05"),
        ShownField("address", None),
        ShownField("phone", "138****1234"),
    )
    of_left, of_right = {shown.field: shown for shown in left}, {shown.field: shown for shown in right}

    def compared(*fields: str) -> dict[str, Any]:
        sides = {"left": of_left, "right": of_right}
        return {side: tuple(of.get(field, ShownField(field, None)) for field in fields) for side, of in sides.items()}

    comparisons = (
        Evidence("name", "pinyin", "读音相同，字不同", "same reading, other characters", 5.9, 0.8, **compared("name")),
        Evidence(
            "birth_date", "same", "出生日期相同", "same birth date", 11.2, is_evidence=True, **compared("birth_date")
        ),
        Evidence("id_number", "missing", "一方缺失", "missing on one side", 0.0, **compared("id_type", "id_number")),
        Evidence("address", "different", "不同", "different", -2.4, **compared("address")),
        Evidence("phone", "same", "号码相同", "same number", 10.1, -3.6, **compared("phone")),
    )
    prior = -21.0
    total = prior + sum(one.weight + one.tf_adjustment for one in comparisons)
    return PairExplanation(
        entity="natural_person",
        left_id="社保:S-0001",
        right_id="网格:G-0417",
        left=left,
        right=right,
        prior_weight=prior,
        comparisons=comparisons,
        total_weight=total,
        probability=2**total / (1 + 2**total),
        verdict=verdict,
        checks=(Check("different_numbers", "conflicting", False), Check("near", "near_identifiers", True)),
    )  # fmt: skip


def pairs() -> tuple[PairExplanation, ...]:
    """One decided by the score, two by a rule with and without words, one kept apart, one with nothing to show."""
    by_rule = replace(
        pair("conflict"),
        rule="same_id",
        rule_reason_zh="证件号相同而姓名无关",
        rule_reason_en="equal id, unrelated names",
    )
    bare = replace(pair("reject"), rule="twins")
    own = {"left_id": pair().left_id, "right_id": pair().right_id}
    apart = replace(
        pair("auto"),
        apart=(
            Separation("cannot_link", decision_id=7, ruling="different", since="2025-02-01"),
            Separation("contradiction", **own),
            Separation("ambiguous", left_id="one", right_id="other"),
        ),
    )
    return pair(), by_rule, bare, apart, replace(pair(), left=(), right=(), comparisons=())


def calibrations() -> dict[str, CalibrationReport]:
    """Return a calibration in each state it can end in."""

    def half(low: float, pairs: int, false: int = 0, part: int = 0) -> PairCount:
        verdict = "auto" if low >= 8 else "review" if low >= 2 else "reject"
        return PairCount(part, low, verdict, pairs, pairs - false, pairs / (1 + 2.0**-low))

    both = [half(low, 400, part=part) for low in (5.0, 9.0) for part in (0, 1)]
    poor = [half(low, 50, false=49, part=part) for low in (-31.0, -9.0, -2.0) for part in (0, 1)]
    states = {
        "shown": [*both, *poor, half(22.0, 20_000), half(41.0, 20_000, part=1)],
        "kept": [*both, *poor, half(22.0, 20_000)],
        "refuted": [*poor, half(12.0, 20_000), half(12.0, 900, false=50, part=1)],
        "too_few": [*both, *poor],
        "edge_unknown": [half(8.0 + 3 * i, 100, part=0) for i in range(80)],
    }
    states["same"] = [
        half(low, pairs, false, part)
        for low, pairs, false in ((-9.0, 50, 50), (2.0, 400, 20), (8.0, 20_000, 0))
        for part in (0, 1)
    ]
    rules = (
        RuleCount("same_number", "auto", 900, 899),
        RuleCount("other_name", "reject", 500, 3),
        RuleCount("near", "review", 9, 4),
    )
    names = {
        "rule": {"same_number": ("号码相同", "same number")},
        "comparison": {"birth": ("出生日期", "birth date"), "id": ("号码", "number")},
    }
    return {
        state: CalibrationReport(
            entity="natural_person",
            labels={
                "source": {"too_few": "identifiers", "kept": "rulings"}.get(state, "truth"),
                "given": 9000, "unknown": 7, "unusable": 2, "not_compared": 1, "pairs": 8000, "matches": 5000,
            },
            hidden=("id",) if state == "too_few" else (),
            told=("birth",) if state == "too_few" else (),
            calibration=calibrate(counts, auto=8.0, review=2.0, error=0.0005, review_share=0.02),
            rules=() if state == "edge_unknown" else rules,
            names=names,
            config_file="configs/natural_person.toml",
            next_command="guiyi run workspace",
        )
        for state, counts in states.items()
    }  # fmt: skip
