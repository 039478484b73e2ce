from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import pytest

from twintown.ground.errors import BadSettings, NotFound, Unauthenticated
from twintown.trust.identity import ANYONE, Subject, identify
from twintown.trust.people import FILE, People, add_person, read_people, remove_person


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def test_a_person_is_found_by_the_token_that_was_shown_once_and_the_file_does_not_hold_it(
    tmp_path: Path,
) -> None:
    token = add_person(tmp_path, "김하늘", "planner")
    text = (tmp_path / FILE).read_text(encoding="utf-8")
    assert token not in text
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    people = People(tmp_path, "jamsil")
    assert people.find(digest(token)) == Subject("person", "jamsil", "김하늘", ("planner",))
    assert people.find(digest(token + "x")) is None
    assert [one.name for one in tmp_path.iterdir()] == [FILE]


def test_who_is_added_or_removed_counts_at_once_without_a_new_start(tmp_path: Path) -> None:
    people = People(tmp_path, "jamsil")
    assert people.find(digest("nobody's")) is None
    first = add_person(tmp_path, "Ann", "approver")
    assert people.find(digest(first)) is not None
    second = add_person(tmp_path, "Ann", "planner")  # a new token takes the place of a lost one
    assert people.find(digest(first)) is None
    found = people.find(digest(second))
    assert found is not None
    assert found.role == "planner"
    remove_person(tmp_path, "Ann")
    assert people.find(digest(second)) is None
    with pytest.raises(NotFound, match="nobody is called 'Ann'"):
        remove_person(tmp_path, "Ann")


def test_a_persons_token_says_who_asks_and_a_wrong_one_is_refused(tmp_path: Path) -> None:
    people = People(tmp_path, "jamsil")
    token = add_person(tmp_path, 'Quote " and \\ back', "planner")
    subject = identify(f"Bearer {token}", "jamsil", None, people)
    assert (subject.kind, subject.name) == ("person", 'Quote " and \\ back')
    assert identify("", "jamsil", None, people) == ANYONE
    with pytest.raises(Unauthenticated):
        identify(f"Bearer {token}y", "jamsil", None, people)


@pytest.mark.parametrize(
    ("name", "role"),
    [("", "planner"), ("  ", "planner"), ("a\nb", "planner"), ("x" * 81, "planner"), ("A", "king")],
)
def test_a_bad_name_or_role_is_refused(tmp_path: Path, name: str, role: str) -> None:
    with pytest.raises(BadSettings):
        add_person(tmp_path, name, role)
    assert not (tmp_path / FILE).exists()


@pytest.mark.parametrize(
    "text",
    [
        "[[people]]\nname = 'A'\n",
        "[[people]]\nname = 'A'\nrole = 'king'\nsha256 = '" + "0" * 64 + "'",
        "[[people]]\nname = 'A'\nrole = 'planner'\nsha256 = '0000'",
        "[[people]]\nname = 'A'\nrole = 'planner'\nsha256 = 'xyz'",
        "people = [1]",
        "[[",
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / FILE
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(BadSettings, match=FILE):
        read_people(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    add_person(tmp_path, "Ann", "planner")
    (tmp_path / FILE).chmod(0o644)
    with pytest.raises(BadSettings, match="others can read"):
        read_people(tmp_path)


def test_an_author_is_verified_only_by_a_token() -> None:
    assert ANYONE.author(" Ann ") == {"name": "Ann", "kind": "anyone", "verified": False}
    assert Subject("person", "t", "김하늘", ("planner",)).author("Ann") == {
        "name": "김하늘",
        "kind": "person",
        "verified": True,
    }
    assert Subject("owner", "t").author() == {"name": "owner", "kind": "owner", "verified": True}
