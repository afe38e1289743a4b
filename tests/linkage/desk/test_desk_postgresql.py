"""The desk over a catalog in PostgreSQL: the same way from sign-in to undo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from desk_town import make_town
from desk_visits import People

from golden_records.catalog.place import DatabaseUrl
from golden_records.catalog.store import open_catalog


def test_a_case_from_sign_in_to_undo(make_database: Callable[..., DatabaseUrl], tmp_path: Path) -> None:
    town = make_town(tmp_path / "workspace", catalog=make_database().secret())

    def asked(query: str) -> list[tuple[object, ...]]:
        with open_catalog(town.workspace.catalog, read_only=True) as catalog:
            return catalog.execute(query).fetchall()

    ((case,),) = asked("select case_id from review_case where left_record_id = 'register:P3'")
    together = "select count(distinct entity_id) from record_link where source_record_id in ('P3', 'R3')"
    with People(town) as people:
        assert case in people["auditor"].search("register:P3").cases()
        assert "并入" in people["auditor"].open(f"/cases/{case}/preview?ruling=same&fragment=1").text
        people["auditor"].rule(str(case), "same")
        assert "立即生效" in people["second"].rule(str(case), "same").text
        assert asked(together) == [(1,)]
        for path in ("/?order=age", "/?order=weight&state=all", "/entities/NP000000003A", "/dashboard", "/trail"):
            assert people["lead"].open(path).status == 200, path
        people["auditor"].send("/decisions/1/undo", people["auditor"].open("/decisions/1"), note="重查")
        assert asked(together) == [(2,)]
        assert "所有链条完整" in people["lead"].open("/trail/verify").text
