from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, inspect, text
from tests.on_postgres import sqlite_only

from twintown.ground.errors import BadSettings, NotFound, StorageFailed
from twintown.store import engine, schema, schema_programme
from twintown.store.tables import LayerRow, ProductRow, Tables, new_version, open_tables, sqlite_url

START = datetime(2026, 12, 22, tzinfo=UTC)


def layer(name: str, version: str, hour: int = 0) -> LayerRow:
    return LayerRow(
        layer=name,
        version=version,
        kind="features",
        digest=f"sha256:{version}",
        count=3,
        built_at=START + timedelta(hours=hour),
        path=f"layers/{name}/{version}",
        bbox=(127.0, 37.5, 127.1, 37.6),
        grade="O",
        title_ko="건물",
        title_en="Buildings",
        meta={"columns": ["id"]},
    )


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[Tables]:
    opened = open_tables(sqlite_url(tmp_path / "state.db"), "hamlet")
    yield opened
    opened.engine.dispose()


def test_a_row_comes_back_as_it_was_written(rows: Tables) -> None:
    rows.add_layer(layer("buildings", "a"))
    rows.switch({"buildings": "a"})
    found = rows.layer("buildings")
    assert found == LayerRow(**{**layer("buildings", "a").__dict__, "state": "current"})
    assert rows.built_at() == START


def test_a_layer_is_not_served_before_the_switch(rows: Tables) -> None:
    rows.add_layer(layer("buildings", "a"))
    assert rows.layers() == {}
    with pytest.raises(NotFound):
        rows.layer("buildings")


def test_a_switch_that_names_a_missing_version_changes_nothing(rows: Tables) -> None:
    rows.add_layer(layer("buildings", "a"))
    rows.add_layer(layer("roads", "a"))
    rows.switch({"buildings": "a", "roads": "a"})
    rows.add_layer(layer("buildings", "b", 1))
    with pytest.raises(NotFound):
        rows.switch({"buildings": "b", "roads": "never written"})
    assert {row.version for row in rows.layers().values()} == {"a"}


def test_only_retires_what_is_no_longer_asked_for(rows: Tables) -> None:
    rows.add_layer(layer("buildings", "a"))
    rows.add_layer(layer("roads", "a"))
    rows.switch({"buildings": "a", "roads": "a"})
    rows.switch({"buildings": "a"}, only=True)
    assert set(rows.layers()) == {"buildings"}


def test_the_last_two_versions_are_kept_and_shared_paths_survive(rows: Tables) -> None:
    for hour, version in enumerate("abcd"):
        rows.add_layer(layer("buildings", version, hour))
        rows.switch({"buildings": version})
    assert sorted(rows.prune(keep=2, hold=timedelta(0))) == ["layers/buildings/a", "layers/buildings/b"]
    assert [row.version for row in rows.layer_history("buildings")] == ["d", "c"]
    assert rows.layer("buildings", "c").state == "retired"


def test_a_rollback_is_a_switch_to_an_older_version(rows: Tables) -> None:
    for hour, version in enumerate("ab"):
        rows.add_layer(layer("buildings", version, hour))
        rows.switch({"buildings": version})
    rows.switch({"buildings": "a"})
    assert rows.layer("buildings").version == "a"
    assert rows.prune(keep=1, hold=timedelta(0)) == ["layers/buildings/b"]


def test_what_was_current_within_the_hour_stays_beside_the_newest_two(rows: Tables) -> None:
    for hour, version in enumerate("abcd"):
        rows.add_layer(layer("buildings", version, hour))
        rows.switch({"buildings": version})
    with engine.writing(rows.engine) as connection:
        long_ago = {"long_ago": datetime.now(UTC) - timedelta(hours=1, seconds=1)}
        connection.execute(
            text("UPDATE layer_versions SET retired_at = :long_ago WHERE version = 'a'"), long_ago
        )
    assert rows.prune() == ["layers/buildings/a"]
    assert [row.version for row in rows.layer_history("buildings")] == ["d", "c", "b"]


def test_a_version_that_is_made_current_twice_is_no_longer_retired(rows: Tables) -> None:
    for hour, version in enumerate("ab"):
        rows.add_layer(layer("buildings", version, hour))
        rows.switch({"buildings": version})
    assert rows.layer("buildings", "a").retired_at is not None
    rows.switch({"buildings": "a"})
    assert rows.layer("buildings").retired_at is None


def test_a_switch_to_only_what_is_described_leaves_what_was_added(rows: Tables) -> None:
    rows.add_layer(layer("buildings", "a"))
    rows.add_layer(replace(layer("benches", "a"), meta={"origin": "added"}))
    rows.switch({"buildings": "a", "benches": "a"})
    rows.switch({}, only=True)
    assert set(rows.layers()) == {"benches"}
    rows.retire("benches")
    assert rows.layers() == {}
    with pytest.raises(NotFound):
        rows.retire("benches")


def test_edits_go_with_the_version_that_they_were_made_on(rows: Tables) -> None:
    edit = insert(schema.feature_edits).values(
        twin="hamlet", layer="benches", seq=1, feature="1", at=START, author="owner"
    )
    rows.add_layer(layer("benches", "b"))
    with engine.writing(rows.engine) as connection:
        connection.execute(edit.values(base="a"))
        connection.execute(edit.values(base="b"))
    rows.prune()
    with engine.reading(rows.engine) as connection:
        assert connection.execute(text("SELECT base FROM feature_edits")).scalars().all() == ["b"]


def test_a_database_of_an_older_version_is_not_read_but_said_how_to_mend(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "state.db")
    rows = open_tables(url, "hamlet")
    with engine.writing(rows.engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    with pytest.raises(BadSettings, match="run `twintown build`"):
        open_tables(url, "hamlet", read_only=True)


def test_a_database_of_the_first_version_keeps_its_rows_through_the_second(tmp_path: Path) -> None:
    from alembic import command
    from alembic.config import Config

    url = sqlite_url(tmp_path / "state.db")
    rows = open_tables(url, "hamlet")
    rows.add_layer(layer("buildings", "a"))
    rows.switch({"buildings": "a"})
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    with engine.writing(rows.engine) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
    assert engine.revision(rows.engine) == "0001"
    assert open_tables(url, "hamlet").layer("buildings").version == "a"


def test_the_database_itself_refuses_two_current_versions(rows: Tables) -> None:
    rows.add_layer(layer("buildings", "a"))
    rows.add_layer(layer("buildings", "b"))
    with pytest.raises(StorageFailed, match=r"(?i)unique"), engine.writing(rows.engine) as connection:
        connection.execute(text("UPDATE layer_versions SET state = 'current'"))
    assert rows.layers() == {}


def test_two_twins_in_one_database_do_not_meet(rows: Tables) -> None:
    other = Tables(rows.engine, "other")
    rows.add_layer(layer("buildings", "a"))
    rows.switch({"buildings": "a"})
    other.switch({}, only=True)
    assert set(rows.layers()) == {"buildings"}
    assert other.layers() == {}


def test_products_switch_together_with_layers(rows: Tables) -> None:
    rows.add_layer(layer("buildings", "a"))
    rows.add_product(ProductRow("3dtiles/buildings", "a", "sha256:a", START, "tiles/3dtiles/a", {"tiles": 4}))
    rows.switch({"buildings": "a"}, {"3dtiles/buildings": "a"})
    assert rows.product("3dtiles/buildings").meta == {"tiles": 4}
    with pytest.raises(NotFound):
        rows.product("base")


def test_what_is_forgotten_is_known_no_more(rows: Tables) -> None:
    rows.add_layer(layer("buildings", "a"))
    rows.add_product(ProductRow("base", "a", "sha256:a", START, "tiles/base/a"))
    rows.switch({"buildings": "a"})
    assert rows.known() == {
        ("buildings", "a"): ("layers/buildings/a", "current"),
        ("base", "a"): ("tiles/base/a", "ready"),
    }
    rows.forget([("buildings", "a"), ("base", "a")])
    assert rows.known() == {}


def test_steps_remember_what_they_made(rows: Tables) -> None:
    rows.begin_step("source/osm", "sha256:1")
    assert rows.steps()["source/osm"].state == "running"
    rows.finish_step("source/osm", "sha256:1", {"buildings": "sha256:2"})
    step = rows.steps()["source/osm"]
    assert (step.state, step.outputs) == ("finished", {"buildings": "sha256:2"})
    assert step.finished is not None
    assert step.finished >= step.started
    rows.forget_steps(keep=set())
    assert rows.steps() == {}


def test_the_migrations_build_the_tables_that_the_code_declares(rows: Tables) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    with engine.reading(rows.engine) as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema_programme.metadata) == []
        assert inspect(connection).has_table("layer_versions")
    scripts = ScriptDirectory(str(Path(schema.__file__).parent / "migrations"))
    assert scripts.get_current_head() == schema.HEAD == engine.revision(rows.engine)


@pytest.mark.slow
def test_an_upgrade_that_is_not_needed_does_not_import_alembic(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "state.db")
    open_tables(url, "hamlet")
    code = (
        "import sys; from twintown.store.tables import open_tables;"
        f"open_tables({url!r}, 'hamlet'); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_database_of_a_newer_version_is_refused(rows: Tables) -> None:
    with engine.writing(rows.engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(BadSettings, match="9999"):
        engine.upgrade(rows.engine)


@sqlite_only
def test_the_file_is_in_wal_mode_with_full_synchronisation(tmp_path: Path) -> None:
    rows = open_tables(sqlite_url(tmp_path / "state.db"), "hamlet")
    with engine.reading(rows.engine) as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1


def test_a_reader_keeps_its_picture_while_a_switch_commits(rows: Tables) -> None:
    rows.add_layer(layer("buildings", "a"))
    rows.switch({"buildings": "a"})
    query = text("SELECT version FROM layer_versions WHERE state = 'current'")
    with engine.reading(rows.engine) as connection:
        assert connection.execute(query).scalars().all() == ["a"]
        rows.add_layer(layer("buildings", "b"))
        rows.switch({"buildings": "b"})
        assert connection.execute(query).scalars().all() == ["a"]
    assert rows.layer("buildings").version == "b"


def test_a_read_only_reader_sees_and_cannot_write(tmp_path: Path) -> None:
    rows = open_tables(sqlite_url(tmp_path / "state.db"), "hamlet")
    rows.add_layer(layer("buildings", "a"))
    rows.switch({"buildings": "a"})
    reader = open_tables(sqlite_url(tmp_path / "state.db"), "hamlet", read_only=True)
    assert reader.layer("buildings").version == "a"
    with pytest.raises(StorageFailed, match=r"read-?only"):
        reader.switch({}, only=True)


@sqlite_only
def test_a_missing_database_is_named(tmp_path: Path) -> None:
    reader = open_tables(sqlite_url(tmp_path / "absent" / "state.db"), "hamlet", read_only=True)
    with pytest.raises(StorageFailed, match="unable to open"):
        reader.layers()


@pytest.mark.parametrize("url", ["nonsense", "nosuch://host/db"])
def test_a_bad_url_is_one_line(url: str) -> None:
    with pytest.raises(BadSettings) as caught:
        engine.open_engine(url)
    assert "\n" not in str(caught.value)


def test_versions_sort_by_time() -> None:
    made = [new_version(START + timedelta(milliseconds=n)) for n in range(5)]
    assert made == sorted(made)
    assert {len(version) for version in made} == {26}
