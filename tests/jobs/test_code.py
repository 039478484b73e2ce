"""Which code gave an answer."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from twintown.ground.names import Name
from twintown.jobs import code
from twintown.jobs.process import Process, processes

PLUGIN = {
    "__init__.py": "",
    "answer.py": "from . import method\nfrom .method import sum_of\nimport unrelated_package\n\ndef run(ask):\n    yield\n",
    "method.py": "from twintown.kernels.means import mean\n\ndef sum_of():\n    from .inner import deep\n",
    "inner.py": "deep = 1\n",
    "other.py": "import os\n",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "somebodys_method"
    folder.mkdir()
    for name, text in PLUGIN.items():
        (folder / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    code.sources.cache_clear()
    yield folder
    code.sources.cache_clear()
    for name in [one for one in sys.modules if one.startswith("somebodys_method")]:
        del sys.modules[name]


def test_the_sources_behind_a_plug_in_are_its_own_and_what_it_takes_from_us(package: Path) -> None:
    names = dict(code.sources("somebodys_method.answer"))
    assert {one for one in names if one.startswith("somebodys")} == {
        "somebodys_method", "somebodys_method.answer", "somebodys_method.method", "somebodys_method.inner"
    }  # fmt: skip
    assert "twintown.kernels.means" in names
    assert "twintown.kernels.shadows" not in names
    assert not any(one.startswith(("numpy", "unrelated")) for one in names)


def test_a_changed_line_changes_the_digest_and_is_told_by_name(package: Path) -> None:
    def said() -> dict[str, object]:
        code.sources.cache_clear()
        sys.modules.pop("somebodys_method.answer", None)
        run = type(
            "Run", (), {"__module__": "somebodys_method.answer", "__call__": lambda self, ask: iter(())}
        )()
        return code.code_of(Process("method", Name("a", "a"), "1", (), (), (), (), (), run))

    before = said()
    (package / "other.py").write_text("import sys\n")
    assert said() == before
    (package / "inner.py").write_bytes(b"deep = 1\r\n")
    assert said() == before
    (package / "inner.py").write_text("deep = 2\n")
    after = said()
    assert after["sources"] != before["sources"]
    assert code.differences(before, after) == {"kernels": [], "modules": ["somebodys_method.inner"]}


def test_the_kernels_of_our_own_processes_are_named() -> None:
    said = code.code_of(processes().find("sunlight"))
    assert "shadows" in said["kernels"]
    assert "vectortile" not in said["kernels"]
    assert "twintown.city.edits" in said["modules"]
    assert said["package"]["name"] == "twintown"
    assert code.differences(said, said) == {"kernels": [], "modules": []}
    assert code.differences(said, {"kernels": 3})["kernels"] == sorted(said["kernels"])


def test_the_machine_is_told_without_its_name() -> None:
    import platform

    said = code.environment()
    assert said["python"] == platform.python_version()
    assert {"numpy", "numba", "llvmlite"} <= set(said["libraries"])
    assert platform.node() not in said.values()
    assert set(said) == {"python", "implementation", "libraries", "system", "machine", "processors"}
