"""Rules whose room does not stand yet. They are listed, not passed: each of these fails on the day its room appears."""

from __future__ import annotations

import pytest

from .conftest import SOURCE

NOT_YET = {
    "live": "rule 3: live/intake is the one file of its wing that touches the world; state and alert are pure",
}


@pytest.mark.parametrize("room", sorted(NOT_YET))
def test_a_rule_without_its_room_is_listed_and_wakes_when_the_room_appears(room: str) -> None:
    assert not (SOURCE / room).exists(), (
        f"{room} stands now: test its rule ({NOT_YET[room]}) and take it off this list"
    )
