from __future__ import annotations

import logging
import stat
from pathlib import Path

import pytest

from twintown.ground.errors import BadSettings, Unauthenticated
from twintown.trust.identity import ANYONE, identify, make_token, read_secret


def test_a_token_is_readable_by_its_owner_only_and_is_never_replaced(tmp_path: Path) -> None:
    path = make_token(tmp_path)
    token = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert make_token(tmp_path).read_text() == token
    assert len(token.strip()) >= 32
    assert [one.name for one in tmp_path.iterdir()] == ["owner.token"]


def test_who_shows_the_token_is_the_owner_of_that_twin(tmp_path: Path) -> None:
    path = make_token(tmp_path)
    secret = read_secret(path)
    subject = identify(f"Bearer {path.read_text().strip()}", "jamsil", secret)
    assert (subject.kind, subject.twin) == ("owner", "jamsil")
    assert identify("", "jamsil", secret) == ANYONE


@pytest.mark.parametrize("sent", ["Bearer wrong", "Bearer ", "Basic abc", "nonsense", "Bearer 한글"])
def test_a_wrong_token_is_refused_rather_than_ignored(tmp_path: Path, sent: str) -> None:
    with pytest.raises(Unauthenticated):
        identify(sent, "jamsil", read_secret(make_token(tmp_path)))


def test_without_a_token_file_nobody_is_the_owner(tmp_path: Path) -> None:
    assert read_secret(tmp_path / "owner.token") is None
    with pytest.raises(Unauthenticated):
        identify("Bearer " + "x" * 43, "jamsil", None)


def test_a_token_that_others_can_read_or_that_is_short_is_refused(tmp_path: Path) -> None:
    path = make_token(tmp_path)
    path.chmod(0o644)
    with pytest.raises(BadSettings, match="others can read"):
        read_secret(path)
    path.write_text("short")
    path.chmod(0o600)
    with pytest.raises(BadSettings, match="shorter"):
        read_secret(path)


def test_no_message_repr_or_log_holds_a_token(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = make_token(tmp_path)
    token = path.read_text().strip()
    secret = read_secret(path)
    with caplog.at_level(logging.DEBUG), pytest.raises(Unauthenticated) as caught:
        identify(f"Bearer {token}x", "jamsil", secret)
    assert token not in f"{secret!r} {caught.value} {caught.value!r} {caplog.text}"
