from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.api.conftest import write_twin

from twintown.cli import main
from twintown.trust.identity import LOCAL_OWNER
from twintown.trust.policy import Resource, decide
from twintown.twin.edits import Change, Draft, write
from twintown.twin.layers import Twin

SAID = ["--licence", "KOGL-1", "--publisher", "Small City", "--grade", "O"]
OWNER = decide(LOCAL_OWNER, "write", Resource("small"))
CSV = "name,seats,lon,lat\n북쪽,3,127.0963,37.5130\n남쪽,,127.0964,37.5128\n"


@pytest.fixture
def town(tmp_path: Path) -> Path:
    return write_twin(tmp_path / "small")


def run(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


@pytest.fixture
def benches(tmp_path: Path) -> Path:
    path = tmp_path / "Park_Benches.csv"
    path.write_text(CSV, encoding="utf-8")
    return path


def test_a_file_becomes_a_layer_beside_the_others(
    town: Path, benches: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {one.layer: one.version for one in Twin.open(town).layers(OWNER)}
    assert run("add", town, benches, *SAID, "--title-ko", "의자", "--title-en", "Benches") == 0
    assert capsys.readouterr().out.startswith("park-benches: 2 rows")
    twin = Twin.open(town)
    after = {one.layer: one.version for one in twin.layers(OWNER)}
    assert after.pop("park-benches")
    assert after == before
    version = twin.version("park-benches", OWNER)
    assert (version.kind, version.grade.value, version.title.ko) == ("features", "O", "의자")
    assert version.provenance.sources[0].publisher == "Small City"
    assert version.provenance.licences[0].id == "KOGL-1"
    assert [(one["name"], one["type"]) for one in version.meta["columns"][1:]] == [
        ("name", "string"),
        ("seats", "integer"),
    ]
    assert (town / version.path / "item.json").is_file()
    listed = json.loads((town / "catalog.json").read_text())
    assert any("park-benches" in link["href"] for link in listed["links"])


def test_a_layer_that_is_there_is_only_replaced_when_that_is_said(
    town: Path, benches: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("add", town, benches, *SAID) == 0
    assert run("add", town, benches, *SAID) == 1
    assert "there already" in capsys.readouterr().err
    benches.write_text(CSV + "동쪽,1,127.0965,37.5129\n", encoding="utf-8")
    assert run("add", town, benches, *SAID, "--replace") == 0
    assert Twin.open(town).version("park-benches", OWNER).count == 3
    assert run("add", town, benches, *SAID, "--layer", "buildings", "--replace") == 1
    assert "built from its sources" in capsys.readouterr().err


def test_an_empty_layer_is_made_to_draw_into_and_its_edits_are_folded(
    town: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = ["--column", "kind", "--column", "height_m:number:m"]
    assert run("add", town, "--layer", "trees", "--geometry", "Point", *columns, *SAID) == 0
    assert capsys.readouterr().out.startswith("trees: 0 rows, editable")
    assert run("compact", town) == 0
    assert "nothing was edited" in capsys.readouterr().out
    twin = Twin.open(town)
    version = twin.version("trees", OWNER)
    assert (version.kind, version.meta["geometry"]) == ("features", "Point")
    assert version.meta["columns"][2]["unit"] == "m"
    write(twin, "trees", OWNER, [Change("1", lambda _: Draft({"kind": "pine", "height_m": 7.5}, None))])
    assert run("compact", town) == 0
    assert "trees: 1 edits folded in" in capsys.readouterr().out
    after = Twin.open(town).version("trees", OWNER)
    assert (after.count, after.kind, after.meta["editable"]) == (1, "features", True)
    assert after.meta["columns"] == version.meta["columns"]
    assert (town / after.path / "item.json").is_file()


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["{file}"], 2, "--licence"),
        (["{file}", "--licence", "KOGL-1", "--publisher", "City"], 2, "--grade"),
        ([*SAID], 2, "name a file"),
        (["{dir}/absent.csv", *SAID], 2, "no such file"),
        (["{dir}/small/twintown.toml", *SAID, "--layer", "x"], 2, "format cannot be told"),
        (["{file}", *SAID, "--layer", "Not An Id"], 2, "cannot be an identifier"),
        (["{file}", *SAID, "--layer", "catalogue"], 2, "taken by the system"),
        (["{file}", "{file}", *SAID, "--layer", "x"], 2, "several files"),
        (["{file}", *SAID, "--geometry", "Point"], 2, "for an empty layer"),
        (["--layer", "x", "--geometry", "Circle", *SAID], 2, "no type of geometry"),
        (["--layer", "x", "--geometry", "Point", "--column", "a:colour", *SAID], 2, "no type of a column"),
        (["--layer", "x", "--geometry", "Point", "--column", "id", *SAID], 2, "cannot be called 'id'"),
    ],
)
def test_a_slip_is_one_line_and_changes_nothing(
    town: Path,
    benches: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    status: int,
    says: str,
) -> None:
    filled = [one.format(file=benches, dir=town.parent) for one in arguments]
    before = set(Twin.open(town).tables.known())
    assert run("add", town, *filled) == status
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert says in lines[0]
    assert set(Twin.open(town).tables.known()) == before
