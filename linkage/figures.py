"""Collect the figures of an entity type's linkage for the manifest and the report: counts only, no personal value."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from importlib.metadata import version

from blocking.sql import quote
from eval.report.summary import (
    BlockingRule,
    ClusterSize,
    EntitySection,
    KindCount,
    ModelLevel,
    SourceRows,
    Stage,
    VerdictCount,
    WeightHistogram,
    histogram,
)
from linkage.database import count
from linkage.entity_config import EntityConfig
from linkage.fields import FIELDS
from linkage.model.verdicts import BY_SCORE
from linkage.pipeline import Linkage
from linkage.stages import StageClock

_BIN_WIDTH = 2.0
_PACKAGES = ("guiyi", "splink", "duckdb", "pyarrow", "rapidfuzz", "pypinyin", "scipy")


def entity_section(
    run: Linkage,
    *,
    membership: str,
    sources: tuple[SourceRows, ...],
    quarantine: tuple[KindCount, ...],
    warnings: tuple[KindCount, ...],
) -> EntitySection:
    """Return the figures of one entity type.

    Args:
        run: the finished linkage.
        membership: record_id, entity_id.
        sources: where the rows of each source went.
        quarantine: rows in quarantine by reason.
        warnings: rows kept with a remark.
    """
    return EntitySection(
        entity=run.config.entity,
        sources=sources,
        quarantine=quarantine,
        warnings=warnings,
        profiles=count(run.con, run.table("profiles")),
        blocking=_blocking(run),
        weights=_weights(run),
        verdicts=_verdicts(run),
        cluster_sizes=_sizes(run, membership),
        contested=_contested(run),
        review_cases=_review_cases(run),
        model=_model(run),
        model_hash=model_hash(run),
    )


def labels(configs: Iterable[EntityConfig]) -> dict[str, dict[str, tuple[str, str]]]:
    """Return the names of rules, keys and cases that only the configuration knows, for the report."""
    found: dict[str, dict[str, tuple[str, str]]] = {
        group: {} for group in ("rule", "blocking", "comparison", "contested", "remark")
    }
    for config in configs:
        found["comparison"] |= {c.name: (c.title_zh, c.title_en) for c in config.comparison}
        for rule in config.rule:
            short = (rule.reason_zh.partition("：")[0], rule.reason_en.partition(":")[0])
            found["rule"][rule.name] = short
            found["contested"][f"{rule.verdict}:{rule.name}"] = short
        for key in config.blocking:
            found["blocking"][key.name] = (key.title_zh or key.name, key.title_en or key.name)
        for column in config.clustering.exclusive:
            found["contested"][f"exclusive:{column}"] = (
                "关联会使一个主体有两个号码，已拒绝",
                "link refused: two numbers",
            )
        for field in FIELDS[config.entity]:
            for kind, (zh, en) in _REMARKS.items():
                found["remark"][f"{field.name}: {kind}"] = (f"{field.zh.partition('（')[0]}：{zh}", f"{field.en}: {en}")
    found["contested"][f"review:{BY_SCORE}"] = ("权重在两个阈值之间", "weight between the thresholds")
    found["contested"]["ambiguous"] = ("与两个不同的主体都相符，未并入", "fits two different entities")
    found["contested"]["contradiction"] = ("会连起互相矛盾的记录，已拒绝", "link refused: records contradict")
    found["contested"]["cannot_link"] = ("人工裁定为不同主体", "ruled different by a person")
    return found


_REMARKS = {
    "scientific_notation": ("科学计数法，已无法辨认", "in scientific notation, beyond reading"),
    "decimal_point": ("带小数点", "with a decimal point"),
    "rounded_number": ("被电子表格截尾", "rounded by a spreadsheet"),
    "impossible_date": ("日期不存在", "a date that does not exist"),
    "unreadable_date": ("日期无法辨认", "a date that cannot be read"),
    "future_date": ("日期在将来", "a date in the future"),
    "unmapped_value": ("代码表中没有的取值", "a value the code map lacks"),
}


def stage_figures(clock: StageClock) -> tuple[Stage, ...]:
    """Return what each stage cost."""
    return tuple(
        Stage(name=s.name, entity=s.entity, seconds=s.seconds, peak_mb=s.peak_mb, rows_out=s.rows) for s in clock.stages
    )


def package_versions() -> dict[str, str]:
    """Return the versions of the packages a result depends on."""
    return {name: version(name) for name in _PACKAGES}


def model_hash(run: Linkage) -> str:
    """Return a short hash of the model's parameters."""
    return hashlib.sha256(run.trained.model_dump_json().encode()).hexdigest()[:16]


def _blocking(run: Linkage) -> tuple[BlockingRule, ...]:
    kept = dict(
        run.con.execute(
            f"select rule, count(*) from {quote(run.table('judged'))} where verdict <> 'reject' group by rule"
        ).fetchall()
    )
    return tuple(
        BlockingRule(
            rule=c.rule,
            pairs=c.found,
            new_pairs=c.new,
            kept_pairs=kept.get(position, 0),
            capped_blocks=c.oversized,
        )
        for position, c in enumerate(run.rule_counts)
    )


def _weights(run: Linkage) -> WeightHistogram | None:
    rows = run.con.execute(f"""
select floor(match_weight / {_BIN_WIDTH}) * {_BIN_WIDTH}, verdict, count(*)
from {quote(run.table("judged"))}
where left_id < right_id
group by all""").fetchall()
    return histogram(
        [(float(low), verdict, n) for low, verdict, n in rows],
        bin_width=_BIN_WIDTH,
        review_weight=run.config.thresholds.review,
        auto_weight=run.config.thresholds.auto,
    )


def _verdicts(run: Linkage) -> tuple[VerdictCount, ...]:
    rows = run.con.execute(f"""
select verdict, verdict_rule, count(*)
from {quote(run.table("judged"))}
where left_id < right_id
group by all
order by verdict, count(*) desc, verdict_rule""").fetchall()
    return tuple(VerdictCount(verdict=v, rule=None if r == BY_SCORE else r, pairs=n) for v, r, n in rows)


def _sizes(run: Linkage, membership: str) -> tuple[ClusterSize, ...]:
    rows = run.con.execute(f"""
select size, count(*)
from (select count(*) as size from {quote(membership)} group by entity_id)
group by size
order by size""").fetchall()
    return tuple(ClusterSize(size=size, clusters=n) for size, n in rows)


def _contested(run: Linkage) -> tuple[KindCount, ...]:
    rows = run.con.execute(f"""
select constraint_name, count(*)
from {quote(run.table("refused"))}
group by all
union all
select verdict || ':' || verdict_rule, count(*)
from {quote(run.table("judged"))}
where verdict in ('review', 'conflict') and left_id < right_id
group by all
order by 2 desc, 1""").fetchall()
    return tuple(KindCount(kind=kind, count=n) for kind, n in rows)


def _review_cases(run: Linkage) -> int:
    return count(run.con, run.table("review_case"))


def _model(run: Linkage) -> tuple[ModelLevel, ...]:
    rows = []
    against = {c.name: c.against for c in run.config.comparison}
    for name, levels in run.config.levels.items():
        for level in levels:
            if level.is_missing:
                continue
            p = run.trained.parameters(name, level.name)
            rows.append(
                ModelLevel(
                    comparison=name,
                    level=level.name,
                    m=p.m,
                    u=p.u,
                    weight=p.weight,
                    reason_zh=level.reason_zh,
                    reason_en=level.reason_en,
                    m_from=p.m_from,
                    u_from=p.u_from,
                    against=level.name in against[name],
                )
            )
    return tuple(rows)
