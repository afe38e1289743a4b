"""Tokens: shown once, kept as hashes, taken until their last day or until they are revoked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_district import Guiyi

from golden_records.catalog.store import Catalog, open_catalog
from linkage.access.tokens import create_token, find_token, list_tokens, revoke_token
from linkage.errors import LinkageError
from linkage.workspace import create_workspace

NOW = datetime(2025, 3, 1, 8, 0, tzinfo=UTC)


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with open_catalog(tmp_path / "catalog.sqlite") as opened:
        yield opened


def make(catalog: Catalog, owner: str = "平台") -> str:
    text, _ = create_token(catalog, role="platform", owner=owner, organization=None, last_day=date(2025, 3, 2), now=NOW)
    return text


def test_a_token_is_found_and_its_text_is_kept_nowhere(catalog: Catalog) -> None:
    text = make(catalog)
    token = find_token(catalog, text)
    assert token is not None
    assert (token.owner, token.role, token.state(NOW)) == ("平台", "platform", "active")
    assert text.encode() not in Path(catalog.place).read_bytes()
    assert text not in repr(catalog.execute("select * from api_token").fetchall())
    assert make(catalog) != text


def test_a_token_is_taken_to_the_end_of_its_last_day(catalog: Catalog) -> None:
    token = find_token(catalog, make(catalog))
    assert token is not None
    assert token.state(datetime(2025, 3, 2, 23, 59, 59, tzinfo=UTC)) == "active"
    assert token.state(datetime(2025, 3, 3, tzinfo=UTC)) == "expired"


def test_a_revoked_token_stays_listed_and_is_not_taken(catalog: Catalog) -> None:
    text = make(catalog)
    token = find_token(catalog, text)
    assert token is not None
    revoke_token(catalog, token.token_id, now=NOW)
    revoke_token(catalog, token.token_id, now=NOW + timedelta(days=1))
    again = find_token(catalog, text)
    assert again is not None
    assert again.state(NOW) == "revoked"
    assert again.revoked_at == NOW, "revoking twice keeps the first time"
    assert len(list_tokens(catalog)) == 1


@settings(deadline=None)  # each example makes a store of its own
@given(text=st.text(max_size=60) | st.from_regex(r"gy_[A-Za-z0-9_-]{43}", fullmatch=True))
def test_no_other_text_is_a_token(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    with open_catalog(tmp_path_factory.mktemp("tokens") / "catalog.sqlite") as catalog:
        held = make(catalog)
        assert text == held or find_token(catalog, text) is None
        assert find_token(catalog, held + text[:1]) is None or not text


@pytest.mark.parametrize("name", ["", "abc", "ffffffffffff", "'; drop table api_token; --"])
def test_revoking_what_is_no_token_says_so(name: str, catalog: Catalog) -> None:
    make(catalog)
    with pytest.raises(LinkageError, match="guiyi token list"):
        revoke_token(catalog, name, now=NOW)


def test_the_command_makes_lists_and_revokes(tmp_path: Path, guiyi: Guiyi) -> None:
    workspace = create_workspace(tmp_path / "workspace").root
    made = guiyi(
        "token", "create", workspace, "--role", "auditor", "--owner", "王审", "--expires", "2999-01-01", "--json"
    )
    assert made.code == 0
    listed = guiyi("token", "list", workspace, "--json")
    assert made.data["token"] not in listed.out
    (row,) = listed.data
    assert (row["token_id"], row["role"], row["owner"], row["state"]) == (
        made.data["token_id"],
        "auditor",
        "王审",
        "active",
    )
    assert guiyi("token", "revoke", workspace, made.data["token_id"]).code == 0
    assert guiyi("token", "list", workspace, "--json").data[0]["state"] == "revoked"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--role", "platform", "--owner", "x", "--expires", "2001-01-01"), "is past"),
        (("--role", "platform", "--owner", "x", "--expires", "soon"), "--expires"),
        (("--role", "platform", "--owner", " ", "--expires", "2999-01-01"), "--owner"),
        (("--role", "king", "--owner", "x", "--expires", "2999-01-01"), "king"),
        (("--role", "platform", "--owner", "x"), "expires"),
    ],
)
def test_a_token_that_cannot_be_is_refused_in_words(
    options: tuple[str, ...], says: str, tmp_path: Path, guiyi: Guiyi
) -> None:
    workspace = create_workspace(tmp_path / "workspace").root
    outcome = guiyi("token", "create", workspace, *options)
    assert outcome.code in (1, 2)
    assert says in outcome.err
    assert guiyi("token", "list", workspace, "--json").data == []
