"""What names a question, and what is checked before anything is computed."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pytest

from twintown.ground.errors import BadParameter, Gone, NotFound
from twintown.ground.provenance import digest
from twintown.jobs.question import Question, ask, input_bytes, shapes
from twintown.trust.policy import Grant
from twintown.twin.layers import Twin

from .conftest import buildings, publish


def test_the_same_question_has_the_same_digest_and_another_one_has_not(twin: Twin, grant: Grant) -> None:
    first = ask(twin, grant, "count", {})
    assert ask(twin, grant, "count", {"times": 1, "share": 1}).digest == first.digest
    assert first.digest.startswith("sha256:")
    edit = {"op": "remove", "object": "way/1"}
    others = [
        ask(twin, grant, "count", {"times": 2}).digest,
        ask(twin, grant, "count", {"share": 0.5}).digest,
        ask(twin, grant, "count", {}, [edit]).digest if "building-parts" in twin.tables.layers() else "",
    ]
    publish(twin, "buildings", buildings(4))
    others.append(ask(twin, grant, "count", {}).digest)
    assert len({first.digest, *others}) == 5


def test_a_plan_that_edits_are_of_does_not_change_what_is_asked(twin: Twin, grant: Grant) -> None:
    plan = {"id": "p", "name": "Slab", "revision": 3}
    assert ask(twin, grant, "count", {}, scenario=plan).digest == ask(twin, grant, "count", {}).digest


def test_a_question_survives_being_kept(twin: Twin, grant: Grant) -> None:
    asked = ask(twin, grant, "count", {"times": 2}, scenario={"id": "p"}, fresh=True)
    kept = Question.from_request(orjson.loads(orjson.dumps(asked.to_request(lang="ko"))))
    assert kept.digest == asked.digest
    assert kept.fresh
    assert kept.layer("counts") == f"counts-{asked.digest[7:17]}"


def test_what_cannot_be_is_named_before_anything_is_read(
    twin: Twin, grant: Grant, count: Callable[..., None]
) -> None:
    with pytest.raises(BadParameter, match="13 is not taken"):
        ask(twin, grant, "count", {"times": 13})
    with pytest.raises(BadParameter, match="did you mean 'times'"):
        ask(twin, grant, "count", {"tmes": 1})
    with pytest.raises(NotFound, match="no process"):
        ask(twin, grant, "counts", {})
    count(needs=("trees",))
    with pytest.raises(NotFound, match="trees"):
        ask(twin, grant, "count", {})


def test_layers_that_one_may_not_see_are_not_taken(twin: Twin, grant: Grant, owner: Grant) -> None:
    assert set(ask(twin, grant, "count", {}).layers) == {"buildings"}
    asked = ask(twin, owner, "count", {})
    assert set(asked.layers) == {"buildings", "vaults"}
    assert asked.grade.value == "C"


def test_a_question_reads_the_version_that_it_was_asked_of(twin: Twin, grant: Grant) -> None:
    asked = ask(twin, grant, "count", {})
    publish(twin, "buildings", buildings(5))
    assert len(shapes(twin, grant, asked).layers["buildings"]) == 3  # type: ignore[arg-type]
    assert digest(input_bytes(twin, grant, asked, "buildings")) == asked.layers["buildings"]["digest"]
    again = ask(twin, grant, "count", {}, base={"buildings": asked.layers["buildings"]["version"]})
    assert again.digest == asked.digest


def test_a_version_that_is_gone_is_named(twin: Twin, grant: Grant) -> None:
    asked = ask(twin, grant, "count", {})
    publish(twin, "buildings", buildings(5))
    twin.tables.forget([("buildings", asked.layers["buildings"]["version"])])
    with pytest.raises(Gone, match="not kept any more"):
        shapes(twin, grant, asked)
    with pytest.raises(Gone):
        ask(twin, grant, "count", {}, base={"buildings": asked.layers["buildings"]["version"]})
