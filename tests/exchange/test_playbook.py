"""A playbook: what it may say, what it tells, and what no package of one gets past."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely

from twintown.exchange.playbook import Playbook, shortest_day
from twintown.exchange.playbook_package import DID, MANIFEST, folder_files, pack, read
from twintown.exchange.playbooks import vouched
from twintown.ground.errors import BadData, Denied, NotFound, TooLarge, TwintownError
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.provenance import Licence, Provenance, Source, digest
from twintown.trust.did import document
from twintown.trust.keys import Key
from twintown.trust.proof import canonical

STREET_SUN = Path(__file__).parents[2] / "playbooks" / "street-sun"
KEY, DID_OF = Key.of(b"k" * 32), "did:web:a.example:twins:a"
AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
TEXT = """
[playbook]
id = "shade"
version = "1"
names = { en = "Shade", vi = "Bóng râm" }
about = "of a path"
[author]
city = { ko = "가", en = "A" }
[[thresholds]]
id = "low"
names = "Low"
value = 2
unit = "min"
source = "nobody"
[[steps]]
id = "path"
process = "along"
[steps.inputs]
grid = "shade"
threshold = "@low"
[answer]
step = "path"
output = "along"
label = "name"
[[answer.numbers]]
id = "low-m"
title = "low"
statistic = "sum"
column = "length_m"
unit = "m"
where = { column = "mean", below = "low" }
[[answer.numbers]]
id = "rows"
title = "rows"
statistic = "count"
[answer.worst]
column = "mean"
count = 2
least = true
"""


def files(text: str = TEXT, **more: bytes) -> dict[str, bytes]:
    return {"playbook.toml": text.encode(), "guide.en.md": b"# Shade", **more}


def packed(text: str = TEXT, key: Key = KEY) -> bytes:
    return pack(files(text), key, DID_OF, {"ko": "가", "en": "A"}, AT)


def rewritten(
    raw: bytes, change: Mapping[str, bytes | None], add: tuple[tuple[str, bytes], ...] = ()
) -> bytes:
    """The archive with other members."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            data = change.get(name, old.read(name))
            if data is not None:
                new.writestr(name, data)
        for name, data in add:
            new.writestr(name, data)
    return out.getvalue()


def test_the_playbook_that_ships_is_one_and_its_thresholds_say_that_they_are_conventions() -> None:
    package = read(pack(folder_files(STREET_SUN), KEY, DID_OF, {"ko": "가", "en": "A"}, AT))
    book = package.playbook
    assert [one.process for one in book.steps] == ["sunlight", "along"]
    assert package.languages == ("en", "ko", "vi")
    assert all(one.convention and "convention" in one.source.en for one in book.thresholds)
    assert set(book.knowhow) == {"sizing", "cost", "update", "service"}
    assert book.names["vi"].startswith("Nắng")


def test_inputs_that_begin_with_an_at_sign_are_looked_up() -> None:
    book = Playbook.parse(TEXT.encode())
    assert book.inputs(book.steps[0], "2026-05-01", 10.8) == {"grid": "shade", "threshold": 2.0}
    assert book.inputs(book.steps[0], "2026-05-01", 10.8, {"low": 9.0})["threshold"] == 9.0
    assert (shortest_day("2026-05-01", 37.5), shortest_day("2026-05-01", -33.9)) == (
        "2026-12-22",
        "2026-06-21",
    )


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('id = "path"\n', 'id = "path"\nrun = "rm -rf"\n', "unknown key 'run'"),
        ("@low", "@lower", "nothing that is looked up"),
        ('step = "path"', 'step = "elsewhere"', "no step 'elsewhere'"),
        ("[steps.inputs]", '[steps.takes]\ngrid = "later.x"\n[steps.inputs]', "no earlier step"),
        ('unit = "min"', 'unit = "furlong"', "unknown unit"),
        ('below = "low"', 'below = "high"', "neither a number nor a threshold"),
        ('statistic = "sum"', 'statistic = "mode"', "is no statistic"),
        ('id = "shade"', 'id = "../shade"', "cannot be an identifier"),
        ("[answer]", "[answer", "is not TOML"),
        ('version = "1"', "version = 1", "is no version"),
        ("[playbook]", "[playbok]", "is missing"),
    ],
)  # fmt: skip
def test_what_is_no_playbook_is_refused_by_what_is_wrong(old: str, new: str, says: str) -> None:
    assert old in TEXT
    with pytest.raises(BadData, match=says):
        Playbook.parse(TEXT.replace(old, new, 1).encode())


def test_the_numbers_of_an_answer_are_those_of_its_rows() -> None:
    frame = Frame("EPSG:5186")
    x, y = 208_000.0, 546_000.0
    lines = [shapely.LineString([(x, y + k), (x + 10 * (k + 1), y + k)]) for k in range(3)]
    rows: dict[str, Any] = {
        "id": ["a", "b", "c"],
        "name": ["A", "", "C"],
        "mean": [1.0, 5.0, float("nan")],
        "length_m": [10.0, 20.0, 30.0],
    }
    table = gpd.GeoDataFrame(rows, geometry=lines, crs=frame.crs)
    shape = Features(
        table, frame, Provenance((Source("t", "T", "T", Licence("CC0-1.0", "CC0")),)), {"mean": "min"}
    )
    told = Playbook.parse(TEXT.encode()).answer.tell(shape, {"low": 2.0})
    assert [one["value"] for one in told["numbers"]] == [10.0, 3.0]
    assert [(one["id"], one["label"], one["value"], one["unit"]) for one in told["worst"]] == [
        ("a", "A", 1.0, "min"),
        ("b", "", 5.0, "min"),
    ]


def test_the_same_files_signed_at_the_same_moment_are_the_same_bytes() -> None:
    assert packed() == packed()
    package = read(packed())
    assert (package.issuer, package.key, package.findings()) == (DID_OF, KEY.public, ())
    assert package.guide("ko") == ("# Shade", "en")
    with pytest.raises(NotFound):
        package.json("styles/none.json")


def test_a_package_with_anything_changed_added_or_taken_away_is_refused() -> None:
    raw = packed()
    manifest = json.loads(zipfile.ZipFile(io.BytesIO(raw)).read(MANIFEST))
    other = TEXT.replace("value = 2", "value = 3").encode()
    cases: list[tuple[bytes, str]] = [
        (rewritten(raw, {"playbook.toml": other}), "other bytes than the manifest says"),
        (rewritten(raw, {}, (("../../evil.md", b"x"),)), "no file of a playbook"),
        (rewritten(raw, {}, (("run.py", b"import os"),)), "holds text only, no code"),
        (rewritten(raw, {}, (("guide.ko.md", b"x"),)), "in the manifest or in the archive only"),
        (rewritten(raw, {"guide.en.md": None}), "in the manifest or in the archive only"),
        (rewritten(raw, {MANIFEST: None}), "holds no manifest.json"),
        (rewritten(raw, {DID: b"{"}), "is no JSON"),
        (rewritten(raw, {MANIFEST: canonical({**manifest, "id": "others"})}), "names another playbook"),
        (rewritten(raw, {MANIFEST: b'{"type":"Playbook","type":"Playbook"}'}), "stands twice"),
        (raw[:200], "is no archive"),
        (b"PK\3\4 no", "is no archive"),
    ]  # fmt: skip
    for changed, says in cases:
        with pytest.raises(BadData, match=says):
            read(changed)


def test_a_package_that_unpacks_to_much_is_refused_before_it_is_whole_in_memory() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("guide.en.md", b"0" * 5_000_000)
    with pytest.raises(TooLarge, match="more than 4,000,000 bytes"):
        read(out.getvalue())
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w") as archive:
        for number in range(101):
            archive.writestr(f"styles/s{number}.json", b"{}")
    with pytest.raises(TooLarge, match="more than 100 files"):
        read(many.getvalue())


def test_a_file_that_says_it_is_smaller_than_it_is_does_not_get_past_the_count() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("guide.en.md", b"0" * 5_000_000)
    raw = bytearray(out.getvalue())
    at = raw.rindex(b"PK\1\2")
    raw[at + 24 : at + 28] = (10).to_bytes(4, "little")
    with pytest.raises((BadData, TooLarge)):
        read(bytes(raw))


def test_a_signature_counts_by_the_keys_that_are_known_here_not_by_those_it_brings() -> None:
    package, other = read(packed()), Key.of(b"o" * 32)
    mine, foreign = document(DID_OF, [KEY.public]), document(DID_OF, [other.public])
    assert vouched(package, lambda did: (mine, "peer")) == "peer"
    assert vouched(package, lambda did: None, KEY.public) == "accepted"
    with pytest.raises(BadData, match="that are known here"):
        vouched(package, lambda did: (foreign, "peer"))
    for accept in ("", other.public):
        with pytest.raises(Denied, match="is not known here"):
            vouched(package, lambda did: None, accept)
    with pytest.raises(BadData, match="keys of did:web"):  # accepting a key does not outvote a pinned one
        vouched(package, lambda did: (foreign, "peer"), KEY.public)


def test_a_manifest_that_was_changed_after_it_was_signed_does_not_fit() -> None:
    raw = packed()
    manifest = json.loads(zipfile.ZipFile(io.BytesIO(raw)).read(MANIFEST))
    text = TEXT.replace("value = 2", "value = 3").encode()
    manifest["files"]["playbook.toml"] = digest(text)
    forged = read(rewritten(raw, {"playbook.toml": text, MANIFEST: canonical(manifest)}))
    with pytest.raises(BadData, match="signature does not fit"):
        vouched(forged, lambda did: (document(DID_OF, [KEY.public]), "peer"))


def test_a_folder_with_code_or_a_link_is_no_playbook(tmp_path: Path) -> None:
    (tmp_path / "playbook.toml").write_text(TEXT, "utf-8")
    (tmp_path / "run.sh").write_text("echo", "utf-8")
    with pytest.raises(BadData, match="no code"):
        folder_files(tmp_path)
    (tmp_path / "run.sh").unlink()
    (tmp_path / "guide.en.md").symlink_to("/etc/hostname")
    with pytest.raises(BadData, match="is no file of a playbook"):
        folder_files(tmp_path)
    with pytest.raises(TwintownError, match=r"no playbook\.toml"):
        folder_files(tmp_path / "none")
