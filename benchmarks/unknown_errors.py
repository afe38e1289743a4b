"""Records with errors the simulator does not know: the check that quality is not learned from its own exam.

    python benchmarks/unknown_errors.py natural_person --records 60000 --output DIR [--seed S]

Clean simulated records (every error rate of the profile set to zero) are damaged here by other kinds of error, or by
kinds the simulator has at very different rates: characters a scanner confuses, neighbouring keys, fields swapped or run
together, names cut at a fixed width, reordered addresses, lunar birthdays, mojibake, HTML entities, the word "null".
Sources fall into four groups that err differently. Written from general knowledge of such files, without reading how
`matchers` treats them; a kind added here must not be tuned to what the engine can do.

Writes `DIR/ENTITY.parquet` and `DIR/truth.parquet` as `simulate_canonical` does. Seed and size decide every byte.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
from pypinyin import lazy_pinyin

from eval.simulator.canonical import simulate_canonical
from eval.simulator.profile import ErrorRates, SimulatorProfile, load_profile

Row = dict[str, str | None]
Change = Callable[[str, Random], str | None]

GROUPS = ("registry", "form", "scan", "call")
"""Registry: typed from documents, checked. Form: typed by the public. Scan: read by OCR. Call: taken by telephone."""
SOURCE_GROUPS = {
    "population_registry": "registry",
    "professional_titles": "form",
    "social_insurance": "form",
    "volunteers": "form",
    "grid_residents": "call",
    "court_persons": "scan",
    "credit_bureau_persons": "scan",
    "water_customers": "scan",
    "telecom_users": "form",
    "market_registry": "registry",
    "civil_affairs": "registry",
    "tax_registration": "form",
    "social_insurance_units": "form",
    "grid_premises": "call",
    "electricity_customers": "call",
    "court_judgments": "scan",
    "administrative_penalties": "scan",
    "credit_bureau_companies": "scan",
}

# Each sign and what a scanner makes of it.
_LOOK_ALIKE = (
    "未末己已土士日曰人入千干王玉大太天夭田由木本白自目且申甲问间李季陈阵杨扬刘刈侯候今令兰三平乎伟佛梅海洁浩婷停鹏朋晓烧静净红江"
    "佳住俊浚辉挥玲铃燕蒸宁亍宏宠丽雨凤风龙尤昌冒达迖泰秦科料技枝电申贸贺易昜限很司同商啇服脤店占深探圳训"
)
_OCR = {_LOOK_ALIKE[i]: _LOOK_ALIKE[i ^ 1] for i in range(len(_LOOK_ALIKE))}
_OCR_SIGNS = dict(zip("0D175S6G8B2ZUV39", "D071S5G6B8Z2VU93", strict=True))
_KEYS = {
    "1": "24",
    "2": "135",
    "3": "26",
    "4": "157",
    "5": "2468",
    "6": "359",
    "7": "48",
    "8": "579",
    "9": "68",
    "0": "1",
}
_NULLS = ("null", "NULL", "None", r"\N", "nan", "#N/A", "不详", "未填写", "(空)", "test", "测试", "xxx", "——")
_GARBAGE = ("\ufeff", "\u200b", "\u00a0", "\ufffd", "\u202e", "\u00ad", "\x7f", "�?", "锟斤拷", "烫烫")
_NUMERALS = dict(zip("0123456789", "零一二三四五六七八九", strict=True))


@dataclass(frozen=True)
class Kind:
    """One kind of error: the field it strikes, what it does, and how often in each group of sources."""

    name: str
    field: str
    change: Change
    registry: float = 0.0
    form: float = 0.0
    scan: float = 0.0
    call: float = 0.0

    def rate(self, group: str) -> float:
        """Return the share of values struck in a group of sources."""
        return {"registry": self.registry, "form": self.form, "scan": self.scan, "call": self.call}[group]


def _ocr(value: str, rng: Random) -> str:
    places = [i for i, c in enumerate(value) if c in _OCR]
    return _put(value, rng.choice(places), lambda c: _OCR[c]) if places else value


def _ocr_sign(value: str, rng: Random) -> str:
    places = [i for i, c in enumerate(value) if c in _OCR_SIGNS]
    return _put(value, rng.choice(places), lambda c: _OCR_SIGNS[c]) if places else value


def _neighbour_key(value: str, rng: Random) -> str:
    places = [i for i, c in enumerate(value) if c in _KEYS]
    return _put(value, rng.choice(places), lambda c: rng.choice(_KEYS[c])) if places else value


def _put(value: str, place: int, change: Callable[[str], str]) -> str:
    return value[:place] + change(value[place]) + value[place + 1 :]


def _swap_neighbours(value: str, rng: Random) -> str:
    if len(value) < 2:
        return value
    i = rng.randrange(len(value) - 1)
    return value[:i] + value[i + 1] + value[i] + value[i + 2 :]


def _swap_given(value: str, _rng: Random) -> str:
    return value[0] + value[2] + value[1] if len(value) == 3 else value


def _double(value: str, rng: Random) -> str:
    i = rng.randrange(len(value))
    return value[: i + 1] + value[i] + value[i + 1 :]


def _drop(value: str, rng: Random) -> str | None:
    i = rng.randrange(len(value))
    return (value[:i] + value[i + 1 :]) or None


def _cut(width: int) -> Change:
    return lambda value, _rng: value[:width]


def _null(_value: str, rng: Random) -> str:
    return rng.choice(_NULLS)


def _lost(_value: str, _rng: Random) -> None:
    return None


def _garbage(value: str, rng: Random) -> str:
    i = rng.randrange(len(value) + 1)
    return value[:i] + rng.choice(_GARBAGE) + value[i:]


def _mojibake(value: str, _rng: Random) -> str:
    return value.encode("utf-8").decode("latin-1")


def _html(value: str, rng: Random) -> str:
    return rng.choice(
        (
            f"&nbsp;{value}",
            f"<td>{value}</td>",
            value + "<br/>",
            "".join(f"&#{ord(c)};" for c in value),
            f"{value}&amp;",
        )
    )


def _pinyin(value: str, _rng: Random) -> str:
    return " ".join(lazy_pinyin(value)).upper()


def _prefix(*texts: str) -> Change:
    return lambda value, rng: rng.choice(texts) + value


def _suffix(*texts: str) -> Change:
    return lambda value, rng: value + rng.choice(texts)


def _groups_of_digits(value: str, _rng: Random) -> str:
    return "-".join((value[:6], value[6:14], value[14:])) if len(value) == 18 else value


def _hide_tail(value: str, _rng: Random) -> str:
    return value[:-6] + "XXXXXX" if len(value) > 10 else value


def _keep_tail(value: str, _rng: Random) -> str:
    return "尾号" + value[-6:]


def _parsed(value: str) -> date | None:
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def _off_by_a_day(value: str, rng: Random) -> str:
    day = _parsed(value)
    return value if day is None else (day + timedelta(days=rng.choice((-1, 1)))).isoformat()


def _lunar(value: str, rng: Random) -> str:
    """A lunar birthday written as if solar is three to seven weeks early."""
    day = _parsed(value)
    return value if day is None else (day - timedelta(days=rng.randint(18, 50))).isoformat()


def _nominal_age(value: str, rng: Random) -> str:
    day = _parsed(value)
    return value if day is None else f"{day.year - rng.choice((1, 2))}-{day.month:02d}-{day.day:02d}"


def _date_style(value: str, rng: Random) -> str:
    day = _parsed(value)
    if day is None:
        return value
    styles = (
        f"{day.year}年{day.month}月{day.day}日",
        f"{day.year % 100:02d}.{day.month}.{day.day}",
        f"{day.year}/{day.month}/{day.day} 0:00:00",
        f"{day:%Y%m%d}",
        str((day - date(1899, 12, 30)).days),
        f"{day:%d-%b-%Y}",
    )
    return rng.choice(styles)


def _numerals(value: str, _rng: Random) -> str:
    return "".join(_NUMERALS.get(c, c) for c in value)


def _parts(value: str) -> list[str]:
    parts, part = [], ""
    for sign in value:
        part += sign
        if sign in "省市区镇号栋座幢室房" or part.endswith(("街道", "社区")):
            parts.append(part)
            part = ""
    return [*parts, part] if part else parts


def _reordered(value: str, rng: Random) -> str:
    parts = _parts(value)
    if len(parts) < 3:
        return value
    if rng.random() < 0.5:
        return "，".join(reversed(parts))
    return parts[-1] + "".join(parts[:-1])


def _part_lost(value: str, rng: Random) -> str:
    parts = _parts(value)
    return "".join(parts[:i] + parts[i + 1 :]) if len(parts) > 3 and (i := rng.randrange(1, len(parts) - 1)) else value


def _sex_style(value: str, rng: Random) -> str:
    male = value == "男"
    return rng.choice((("M", "1", "先生", "男性"), ("F", "2", "女士", "女性"))[0 if male else 1])


def _other_sex(value: str, _rng: Random) -> str:
    return "女" if value == "男" else "男"


def _agency_phone(_value: str, rng: Random) -> str:
    """Firms whose books one agency keeps all give its number."""
    return f"1392888{rng.randrange(40):04d}"


def _second_phone(value: str, rng: Random) -> str:
    other = f"13{rng.randrange(10**9):09d}"
    return rng.choice((f"{value}/{other}", f"{other}、{value}"))


def _new_phone(_value: str, rng: Random) -> str:
    return f"19{rng.randrange(10**9):09d}"


PERSON_KINDS = (
    Kind("ocr_name", "name", _ocr, registry=0.001, scan=0.05, form=0.002),
    Kind("given_transposed", "name", _swap_given, form=0.008, call=0.02),
    Kind("syllable_doubled", "name", _double, form=0.004, call=0.008),
    Kind("name_cut", "name", _cut(3), scan=0.02, form=0.01),
    Kind("pinyin_name", "name", _pinyin, form=0.008, scan=0.004),
    Kind("name_note", "name", _suffix("(户主)", "【本人】", "-租客", "2", "（代）"), form=0.01, call=0.03),
    Kind("name_html", "name", _html, form=0.01),
    Kind("name_garbage", "name", _garbage, registry=0.001, form=0.006, scan=0.015),
    Kind("name_mojibake", "name", _mojibake, form=0.002, scan=0.002),
    Kind("name_null", "name", _null, form=0.002, scan=0.003, call=0.004),
    Kind("id_lost", "id_number", _lost, registry=0.002, form=0.10, scan=0.20, call=0.55),
    Kind("id_key", "id_number", _neighbour_key, registry=0.0005, form=0.012, call=0.02),
    Kind("id_ocr", "id_number", _ocr_sign, scan=0.03),
    Kind("id_doubled", "id_number", _double, form=0.004, call=0.004),
    Kind("id_short", "id_number", _drop, form=0.006, scan=0.006, call=0.008),
    Kind("id_grouped", "id_number", _groups_of_digits, form=0.03),
    Kind("id_labelled", "id_number", _prefix("身份证", "ID:", "'", "№", "证件号码："), form=0.01, scan=0.02),
    Kind("id_tail_hidden", "id_number", _hide_tail, form=0.03, scan=0.25),
    Kind("id_tail_only", "id_number", _keep_tail, call=0.30),
    Kind("id_null", "id_number", _null, form=0.01, scan=0.01, call=0.03),
    Kind("birth_off_by_a_day", "birth_date", _off_by_a_day, registry=0.001, form=0.008, call=0.01),
    Kind("birth_lunar", "birth_date", _lunar, form=0.01, call=0.06),
    Kind("birth_nominal_age", "birth_date", _nominal_age, call=0.03),
    Kind("birth_style", "birth_date", _date_style, form=0.15, scan=0.30, call=0.10),
    Kind("birth_null", "birth_date", _null, form=0.01, call=0.05),
    Kind("sex_style", "sex", _sex_style, form=0.20, scan=0.20),
    Kind("sex_wrong", "sex", _other_sex, form=0.006, call=0.008),
    Kind("phone_changed", "phone", _new_phone, registry=0.10, form=0.12, scan=0.25, call=0.08),
    Kind("phone_swapped", "phone", _swap_neighbours, form=0.01, call=0.02),
    Kind("phone_key", "phone", _neighbour_key, form=0.008, call=0.01),
    Kind("phone_two", "phone", _second_phone, form=0.03, call=0.03),
    Kind("phone_extension", "phone", _suffix("转8001", "(晚上)", " 13点后", "#2"), form=0.01, call=0.02),
    Kind("phone_null", "phone", _null, form=0.01, call=0.03),
    Kind("address_reordered", "address", _reordered, form=0.04, call=0.08),
    Kind("address_part_lost", "address", _part_lost, form=0.08, scan=0.04, call=0.15),
    Kind("address_cut", "address", _cut(20), scan=0.12),
    Kind("address_numerals", "address", _numerals, form=0.03, scan=0.02),
    Kind("address_postcode", "address", _prefix("518100 ", "518000", "中国广东", "Shenzhen "), form=0.06),
    Kind(
        "address_landmark",
        "address",
        _suffix("（地铁站旁）", "楼下有超市", "，快递放门口", " 近菜市场"),
        form=0.03,
        call=0.12,
    ),
    Kind("address_garbage", "address", _garbage, form=0.01, scan=0.02),
    Kind("address_html", "address", _html, form=0.01),
    Kind("address_null", "address", _null, form=0.03, call=0.03),
    Kind("household_lost", "household_address", _lost, registry=0.02, scan=0.5, call=0.5),
    Kind("employer_cut", "employer_name", _cut(8), form=0.05, scan=0.10),
    Kind("employer_ocr", "employer_name", _ocr, scan=0.06),
)
ORGANISATION_KINDS = (
    Kind("ocr_name", "name", _ocr, registry=0.001, scan=0.08, form=0.002),
    Kind("name_transposed", "name", _swap_neighbours, form=0.008, call=0.015),
    Kind("character_doubled", "name", _double, form=0.005, call=0.006),
    Kind("character_dropped", "name", _drop, form=0.006, scan=0.01, call=0.015),
    Kind("name_cut", "name", _cut(12), scan=0.04, form=0.01),
    Kind(
        "english_tail", "name", _suffix(" Co., Ltd.", "CO LTD", "-深圳", "有限公司", "（本部）"), form=0.01, scan=0.01
    ),
    Kind("name_note", "name", _suffix("（营业中）", "[老店]", "/店面转让", "  1号店面"), call=0.04),
    Kind("name_html", "name", _html, form=0.01),
    Kind("name_garbage", "name", _garbage, registry=0.001, form=0.006, scan=0.015),
    Kind("name_mojibake", "name", _mojibake, form=0.002),
    Kind("code_lost", "uscc", _lost, form=0.05, scan=0.25, call=0.60),
    Kind("code_key", "uscc", _neighbour_key, form=0.008, call=0.01),
    Kind("code_ocr", "uscc", _ocr_sign, scan=0.05),
    Kind("code_short", "uscc", _drop, form=0.006, scan=0.01, call=0.01),
    Kind("code_doubled", "uscc", _double, form=0.004),
    Kind("code_labelled", "uscc", _prefix("代码：", "USCC", "'", "统一社会信用代码"), form=0.02, scan=0.02),
    Kind("code_null", "uscc", _null, form=0.01, call=0.03),
    Kind("tax_lost", "tax_number", _lost, form=0.04),
    Kind("tax_key", "tax_number", _neighbour_key, form=0.008),
    Kind("tax_short", "tax_number", _drop, form=0.006),
    Kind("ocr_rep", "legal_rep_name", _ocr, scan=0.05),
    Kind("rep_transposed", "legal_rep_name", _swap_given, form=0.006, call=0.015),
    Kind("rep_pinyin", "legal_rep_name", _pinyin, form=0.006),
    Kind("rep_title", "legal_rep_name", _suffix("总", "老板", "（法人）", "董事长"), form=0.01, call=0.04),
    Kind("rep_lost", "legal_rep_name", _lost, form=0.03, scan=0.10, call=0.25),
    Kind("rep_id_lost", "legal_rep_id_number", _lost, registry=0.01, form=0.4, scan=0.9, call=0.9),
    Kind("phone_changed", "phone", _new_phone, registry=0.15, form=0.10, scan=0.25, call=0.05),
    Kind("agency_phone", "phone", _agency_phone, registry=0.02, form=0.06),
    Kind("phone_swapped", "phone", _swap_neighbours, form=0.01, call=0.02),
    Kind("phone_two", "phone", _second_phone, form=0.03, call=0.04),
    Kind("phone_null", "phone", _null, form=0.01, call=0.03),
    Kind("address_reordered", "address", _reordered, form=0.04, call=0.08),
    Kind("address_part_lost", "address", _part_lost, form=0.08, scan=0.04, call=0.15),
    Kind("address_cut", "address", _cut(20), scan=0.12),
    Kind("address_numerals", "address", _numerals, form=0.03, scan=0.02),
    Kind("address_postcode", "address", _prefix("518100 ", "518000", "中国广东", "Shenzhen "), form=0.06),
    Kind(
        "address_landmark",
        "address",
        _suffix("（地铁站旁）", "一楼商铺", "，工业区门口", " 近菜市场"),
        form=0.02,
        call=0.12,
    ),
    Kind("address_garbage", "address", _garbage, form=0.01, scan=0.02),
    Kind("established_off_by_a_day", "established_date", _off_by_a_day, form=0.02, scan=0.02),
    Kind("established_style", "established_date", _date_style, form=0.20, scan=0.30),
    Kind("established_lost", "established_date", _lost, form=0.20, scan=0.50),
)
KINDS = {"natural_person": PERSON_KINDS, "legal_person": ORGANISATION_KINDS}


def zero_errors(profile: SimulatorProfile) -> SimulatorProfile:
    """Return the profile with every error rate set to zero: clean records."""
    channels = {channel: ErrorRates() for channel in type(profile.errors).model_fields}
    return profile.model_copy(update={"errors": profile.errors.model_copy(update=channels)})


def corrupt_unknown(entity: str, records: int, output: Path, seed: int) -> dict[str, int]:
    """Write clean simulated records with errors the simulator does not know, and their truth.

    Args:
        entity: `legal_person` or `natural_person`.
        records: number of records.
        output: folder; made if absent.
        seed: the run's seed.

    Returns:
        Number of records with each kind of error.
    """
    with tempfile.TemporaryDirectory() as scratch:
        simulate_canonical(entity, records, Path(scratch), seed, zero_errors(load_profile()))
        table = pq.read_table(Path(scratch) / f"{entity}.parquet")
        truth = pq.read_table(Path(scratch) / "truth.parquet")
    rows: list[Row] = table.to_pylist()
    struck = damage(entity, rows, seed)
    written = pa.Table.from_pylist(rows, schema=table.schema)
    errors = pa.array(struck, pa.list_(pa.string()))
    truth = truth.set_column(truth.column_names.index("errors"), "errors", errors)
    output.mkdir(parents=True, exist_ok=True)
    pq.write_table(written, output / f"{entity}.parquet", compression="zstd")
    pq.write_table(truth, output / "truth.parquet", compression="zstd")
    counts: dict[str, int] = {}
    for name in (name for names in struck for name in names):
        counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items()))


def damage(entity: str, rows: list[Row], seed: int) -> list[list[str]]:
    """Damage records in place and return the kinds of error each one got."""
    struck: list[list[str]] = [[] for _ in rows]
    for kind in KINDS[entity]:
        rng = Random(f"{seed} {entity} {kind.name}")
        for row, names in zip(rows, struck, strict=True):
            value = row[kind.field]
            hit = rng.random() < kind.rate(SOURCE_GROUPS[row["source"] or ""])
            if hit and value:
                row[kind.field] = kind.change(value, rng)
                if row[kind.field] != value:
                    names.append(kind.name)
    _across_fields(entity, rows, struck, Random(f"{seed} {entity} across fields"))
    return struck


def _across_fields(entity: str, rows: list[Row], struck: list[list[str]], rng: Random) -> None:
    """Damage that needs two fields: swapped, run together, an earlier name."""
    number = "id_number" if entity == "natural_person" else "uscc"
    for row, names in zip(rows, struck, strict=True):
        careless = SOURCE_GROUPS[row["source"] or ""] in ("form", "call")
        draw = rng.random()
        if row["former_names"] and draw < 0.3:
            row["name"], row["former_names"] = row["former_names"].split(";")[0], None
            names.append("stale_name")
        elif not careless:
            continue
        elif draw < 0.003 and row["address"]:
            row["name"], row["address"] = row["address"], row["name"]
            names.append("name_and_address_swapped")
        elif draw < 0.006 and row["phone"] and row[number]:
            row["phone"], row[number] = row[number], row["phone"]
            names.append("phone_and_number_swapped")
        elif draw < 0.012 and row["phone"]:
            row["name"], row["phone"] = f"{row['name']}{row['phone']}", None
            names.append("name_and_phone_together")
        elif draw < 0.020 and row["address"]:
            row["address"] = f"{row['address']}{row['name']}收{row['phone'] or ''}"
            names.append("address_and_name_together")
        elif draw < 0.026 and row[number]:
            row["name"], row[number] = f"{row['name']} {row[number]}", None
            names.append("name_and_number_together")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("entity", choices=sorted(KINDS))
    parser.add_argument("--records", type=int, default=60_000)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=11)
    arguments = parser.parse_args()
    for name, count in corrupt_unknown(arguments.entity, arguments.records, arguments.output, arguments.seed).items():
        sys.stdout.write(f"{name:<28}{count:>8,}\n")


if __name__ == "__main__":
    main()
