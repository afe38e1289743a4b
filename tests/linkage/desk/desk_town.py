"""A town with a few difficult cases, invented: what the tests of the review desk look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from golden_records.catalog.store import open_catalog
from linkage.access.tokens import create_token
from linkage.commands.console import Console
from linkage.commands.monthly import run_month
from linkage.ingest.loads import ingest_files
from linkage.sources import source_of
from linkage.workspace import Workspace, create_workspace, open_workspace

Rows = tuple[tuple[str, ...], ...]
NOW = datetime(2025, 3, 1, 8, 0, tzinfo=UTC)
QUIET = Console(quiet=True)
SCRIPT = "<script>document.title='broken'</script>贸易有限公司"
FIELDS = ("source_record_id", "name", "id_number", "birth_date", "sex", "phone", "address")
FIRMS = ("source_record_id", "name", "uscc", "legal_rep_name", "phone", "address", "established_date")
HOME = "深圳市宝安区新安街道安乐村一坊1号103室"
FAR = "深圳市宝安区西乡街道桃源社区8栋1803"
REGISTER = (
    ("P1", "王小明", "11010519491231002X", "1949-12-31", "男", "13800001234", HOME),
    ("P2", "李娜", "440524188001010014", "", "女", "", FAR),
    ("P3", "刘宇航", "222424200908281271", "2009-08-28", "男", "", FAR),
    ("P4", "陈思远", "", "1980-05-06", "男", "13900005678", HOME),
)
RESIDENTS = (
    ("R1", "王小明", "11010519491231002X", "1949-12-31", "男", "13800001234", HOME),
    ("R2", "赵立新", "440524188001010014", "", "男", "", HOME),
    ("R3", "刘宇航", "", "2009-08-28", "男", "", ""),
    ("R4", "陈思远", "", "1980-05-06", "男", "", ""),
    ("R5", "陈思远", "", "1980-05-06", "男", "", FAR),
)
# One number under three names: 刘宇生 is one character apart from 刘宇航, who shares the home, and from 刘强生, who
# shares the telephone. So the three are one entity, though 刘宇航 and 刘强生 contradict each other.
TOGETHER = (
    ("S1", "刘宇生", "222424200908281271", "2009-08-28", "男", "13911112222", FAR),
    ("S2", "刘强生", "222424200908281271", "2009-08-28", "男", "13911112222", HOME),
)
MARKET = (
    ("M1", "深圳市云汇科技有限公司", "91440300MA5KPW5G0T", "原小青", "13700001111", HOME, "2019-01-02"),
    ("M2", SCRIPT, "91440300MA5EQXL12Q", "原小青", "13700002222", FAR, "2018-05-06"),
)
TAX = (
    ("T1", "深圳市云汇科技有限公司", "91440300MA5KPW5G0T", "原小青", "13700001111", HOME, ""),
    ("T2", SCRIPT, "91440300MA5F12342Q", "原小青", "13700002222", FAR, ""),
)


@dataclass(frozen=True)
class Town:
    """A workspace with one release, and a token per person."""

    workspace: Workspace
    tokens: dict[str, str]


PERSONS = {
    "auditor": ("auditor", "周审核"),
    "second": ("auditor", "吴复核"),
    "lead": ("lead_auditor", "陈主审"),
    "data": ("data_team", "郑数据"),
    "admin": ("admin", "钱管理"),
    "gateway": ("platform", "网关"),
}


def make_town(
    root: Path, *, catalog: str | None = None, residents: Rows = RESIDENTS, market: Rows = MARKET, tax: Rows = TAX
) -> Town:
    """Make the workspace, run it once, and give out tokens."""
    create_workspace(root, catalog=catalog)
    sources = root / "sources"
    sources.mkdir()
    settings = root / "guiyi.toml"
    kept = "\n".join(line for line in settings.read_text("utf-8").splitlines() if line.startswith("catalog"))
    settings.write_text(f'{kept}\nsources = "sources"\n[decisions]\ntwo_people = ["same"]\n', "utf-8")
    workspace = open_workspace(root)
    for name, entity, fields, rows in (
        ("register", "natural_person", FIELDS, REGISTER),
        ("residents", "natural_person", FIELDS, residents),
        ("market", "legal_person", FIRMS, market),
        ("tax", "legal_person", FIRMS, tax),
    ):
        (sources / f"{name}.toml").write_text(
            f'source = "{name}"\nentity = "{entity}"\ncanonical = true\n[key]\nsource_record_id = "source_record_id"\n',
            "utf-8",
        )
        file = root / f"{name}.csv"
        file.write_text("\n".join([",".join(fields), *(",".join(row) for row in rows)]) + "\n", "utf-8")
        ingest_files(
            (file,),
            source=source_of(workspace, name),
            as_of=date(2025, 1, 31),
            mode="full",
            root=root,
            now=NOW,
        )
    assert run_month(workspace, entities=None, language=None, now=NOW, console=QUIET) == 0
    return Town(workspace, make_tokens(workspace))


def make_tokens(workspace: Workspace) -> dict[str, str]:
    """Return a token per person."""
    tokens = {}
    with open_catalog(workspace.catalog) as catalog:
        for name, (role, owner) in PERSONS.items():
            tokens[name], _ = create_token(
                catalog,
                role=role,
                owner=owner,
                organization="信用办",
                last_day=date(2999, 12, 31),
                now=NOW,  # type: ignore[arg-type]
            )
    return tokens
