"""What may be written where, checked before anything is; and the audit of what lies there already."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from click.testing import CliRunner

from twintown.cli import cli
from twintown.ground.errors import Denied
from twintown.ground.features import Features
from twintown.ground.provenance import Licence, Provenance, Source
from twintown.trust.grades import Grade
from twintown.twin.audit import audit
from twintown.twin.layers import Twin
from twintown.twin.placing import check_process, stores

CC0 = Provenance((Source("own", "Survey", "the hamlet", Licence("CC0-1.0", "CC0")),))
CLOUD = """
[cloud]
scheme = "n2sf"
[[cloud.places]]
id = "city-hall"
stores = ["files"{more}]
country = "KR"
zone = "{zone}"
"""


def declare(directory: Path, zone: str = "s", more: str = ', "database"') -> Path:
    with (directory / "twintown.toml").open("a", encoding="utf-8") as file:
        file.write(CLOUD.format(zone=zone, more=more))
    return directory


def wells(twin: Twin) -> Features:
    table = gpd.GeoDataFrame({"id": ["a"]}, geometry=[shapely.Point(208_100, 545_000)], crs="EPSG:5186")
    return Features(table, twin.description.frame, CC0, {})


def stage(twin: Twin, layer: str, grade: Grade) -> None:
    twin.tables.switch({layer: twin.stage(layer, wells(twin), grade).version})


def files(directory: Path) -> set[str]:
    return {
        str(one.relative_to(directory))
        for one in directory.rglob("*")
        if one.is_file() and one.name[:8] != "state.db"
    }


def test_a_layer_above_what_its_place_may_hold_is_refused_and_nothing_is_written(described: Path) -> None:
    twin = Twin.open(declare(described), read_only=False)
    stage(twin, "wells", Grade.S)
    before = files(described)
    with pytest.raises(Denied, match=r"bunkers, graded C: .* holds up to Sensitive \(S\)") as error:
        twin.stage("bunkers", wells(twin), Grade.C)
    assert error.value.code == "cloud-policy"
    assert files(described) == before and set(twin.tables.layers()) == {"wells"}


def test_a_twin_whose_description_speaks_of_more_than_its_place_may_hold_is_not_opened_for_writing(
    described: Path,
) -> None:
    text = (described / "twintown.toml").read_text().replace('id = "wells"', 'id = "wells"\ngrade = "C"')
    (described / "twintown.toml").write_text(text)
    with pytest.raises(Denied, match="graded C") as error:
        Twin.open(declare(described), read_only=False)
    assert error.value.code == "cloud-policy" and files(described) == {"twintown.toml"}
    assert not (described / "state.db").exists()


def test_the_database_is_a_place_of_its_own(described: Path) -> None:
    declare(described, more="")
    with pytest.raises(Denied, match=r"written to database: no place of \[cloud\] holds database"):
        Twin.open(described, read_only=False)


def test_a_bucket_that_nobody_declared_holds_what_is_open_only(described: Path) -> None:
    twin = Twin.open(described, blobs="memory:///bucket", read_only=False)
    twin.stage("wells", wells(twin), Grade.O)
    with pytest.raises(Denied, match="nobody has declared where memory:///bucket lies"):
        twin.stage("pipes", wells(twin), Grade.S)


def test_stores_are_called_as_the_description_calls_them(tmp_path: Path) -> None:
    assert stores(tmp_path, "", "") == ("files", "database")
    assert stores(tmp_path, "postgresql+psycopg://me:pw@db.example/t", "s3://bucket/x") == (
        "s3://bucket/x",
        "postgresql://db.example/t",
    )
    assert stores(tmp_path, "", str(tmp_path)) == ("files", "database")


def test_a_cluster_is_asked_only_where_it_may_process_what_the_twin_holds(described: Path) -> None:
    twin = Twin.open(declare(described, more=', "database", "tcp://here:8786"'), read_only=False)
    stage(twin, "wells", Grade.S)
    check_process(twin, "tcp://here:8786")
    with pytest.raises(Denied, match="tcp://elsewhere:8786"):
        check_process(twin, "tcp://elsewhere:8786")


def test_the_audit_finds_every_thing_and_why_it_may_lie_there(described: Path) -> None:
    twin = Twin.open(declare(described), read_only=False)
    stage(twin, "wells", Grade.S)
    stage(twin, "roads", Grade.O)
    (described / "layers" / "left" / "01J").mkdir(parents=True)
    (described / "index" / "wells" / "01J").mkdir(parents=True)
    found = {
        (one.kind, one.name.split()[0].split("/")[0]): one for one in audit(twin, "tcp://elsewhere:8786")
    }
    assert found["layer", "wells"].grade is Grade.S and found["layer", "wells"].verdict.allowed
    assert found["index", "wells"].grade is Grade.S
    stray = found["stray", "layers"]
    assert stray.grade is Grade.C and not stray.verdict.allowed and stray.path == "layers/left/01J"
    assert found["database", "hamlet"].grade is Grade.S and found["database", "hamlet"].verdict.allowed
    assert found["processing", "hamlet"].verdict.code == "undeclared"


def test_what_lies_there_since_before_the_rule_is_found(described: Path) -> None:
    twin = Twin.open(described, read_only=False)
    stage(twin, "bunkers", Grade.C)
    assert {one.verdict.code for one in audit(twin)} == {"undeclared"}
    assert not any(one.verdict.allowed for one in audit(twin))
    after = Twin.open(declare(described))
    assert {(one.kind, one.verdict.code) for one in audit(after)} == {("layer", "zone"), ("database", "zone")}


def test_the_command_prints_a_table_or_json_and_its_status_says_whether_all_is_well(described: Path) -> None:
    stage(Twin.open(declare(described), read_only=False), "wells", Grade.S)
    done = CliRunner().invoke(cli, ["policy", "audit", str(described)])
    assert done.exit_code == 0 and "0 of which may not" in done.output and "to be confirmed" in done.output
    (described / "layers" / "left" / "01J").mkdir(parents=True)
    done = CliRunner().invoke(cli, ["policy", "audit", str(described), "--json"])
    said = json.loads(done.output)
    assert done.exit_code == 1 and not said["allowed"] and said["scheme"] == "n2sf"
    assert [(one["kind"], one["allowed"]) for one in said["entries"] if not one["allowed"]] == [
        ("stray", False)
    ]


def test_a_twin_of_open_data_needs_no_declaration(described: Path) -> None:
    stage(Twin.open(described, read_only=False), "wells", Grade.O)
    done = CliRunner().invoke(cli, ["policy", "audit", str(described)])
    assert done.exit_code == 0 and "no scheme is declared" in done.output
