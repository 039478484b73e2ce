"""The how-tos, run as they are written: every block of a page against the demo twins."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from tests.api.answering import answering
from tests.api.conftest import write_twin
from tests.clients.conftest import REPOSITORY, demo
from tests.clients.served import listening, server
from tests.clients.test_qgis import has_qgis, in_qgis

from twintown.app import create_app
from twintown.settings import Settings
from twintown.trust.identity import make_token

PAGES = REPOSITORY / "docs" / "how-to"
WRITTEN = "http://localhost:8000"


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of a page in one language."""
    text = (PAGES / page).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """One server with both demo twins, as `make demo` serves them."""
    with server(demo("jamsil"), demo("icheon")) as one:
        yield one


@pytest.mark.parametrize("number", range(len(blocks("with-curl.md", "sh"))))
def test_the_lines_with_curl_answer_what_the_page_says(address: str, number: int, tmp_path: Path) -> None:
    block = blocks("with-curl.md", "sh")[number].replace(WRITTEN, address)
    lines = block.replace("\\\n", " ").strip().splitlines()
    for line in lines:
        told = subprocess.run(["sh", "-ec", line], cwd=tmp_path, capture_output=True, timeout=120)
        assert told.returncode == 0, told.stderr
        if found := re.search(r"-o (\S+)", line):
            assert (tmp_path / found[1]).stat().st_size > 500, line
            assert not (tmp_path / found[1]).read_bytes().startswith(b'{"type":"urn'), line
            continue
        body = json.loads(told.stdout)
        if "peple" in line:
            assert (body["status"], body["parameter"]) == (400, "filter")
        elif "/items" in line:
            assert body["features"], line
        else:
            assert body.get("status", 200) == 200, line


def test_the_blocks_in_a_notebook_run_one_after_another(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = demo("icheon")
    monkeypatch.setenv("TWIN", str(folder))
    names: dict[str, Any] = {}
    shown = [run(block.replace(WRITTEN, address), names) for block in blocks("in-a-notebook.md", "python")]
    assert list(shown[0]) == list(names["icheon"].layers)
    assert {"density", "population"} <= set(shown[1].columns)
    assert len(names["monthly"]) == 12
    assert 0 <= float(shown[3]) < 255
    assert shown[4] == names["jamsil"]["buildings"].count


@pytest.mark.slow
def test_a_process_is_run_as_the_page_says(tmp_path: Path) -> None:
    page, place = "run-a-process.md", write_twin(tmp_path / "small")
    app = create_app([place], Settings(), warm=False)
    with answering(app), listening(app) as one:
        here = f"{one}/twins/small"
        *shell, people = (block.replace(f"{WRITTEN}/twins/jamsil", here) for block in blocks(page, "sh"))
        told = []
        for block in shell:
            done = subprocess.run(["sh", "-ec", block], cwd=tmp_path, capture_output=True, timeout=240)
            assert done.returncode == 0, done.stderr
            told.append(done.stdout.decode())
        assert "view" in told[0]
        document = json.loads(told[1])
        assert "/collections/view-seen-" in document["view-seen"]["href"]
        assert '"status":"successful"' in told[2]
        assert '"status":"dismissed"' in told[2]
        assert (tmp_path / "seen.tif").read_bytes()[:2] == b"II"
        (python,) = blocks(page, "python")
        names: dict[str, Any] = {}
        grid = run(python.replace(f"{WRITTEN}/twins/jamsil", here), names)
        assert int(grid.max()) == 1
        assert "view" in names["twin"].processes()
    command = people.replace("twintown ", f"{sys.executable} -m twintown.cli ").replace(
        " jamsil", f" {place}"
    )
    assert (
        "planner" in subprocess.run(["sh", "-ec", command], capture_output=True, text=True, check=True).stdout
    )


@pytest.mark.slow
def test_a_plan_is_made_as_the_page_says(tmp_path: Path) -> None:
    place = write_twin(tmp_path / "small")
    about = place / "twintown.toml"
    about.write_text(about.read_text("utf-8") + '\n[access]\nplan = "anyone"\n', "utf-8")
    with listening(create_app([place], Settings(), warm=False)) as one:
        lines = "\n".join(blocks("make-a-plan.md", "sh")).replace(
            f"{WRITTEN}/twins/jamsil", f"{one}/twins/small"
        )
        done = subprocess.run(["sh", "-ec", lines], cwd=tmp_path, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr
        assert '"type":"about:blank"' not in done.stdout.replace('"status":201', "")
        assert '"new/0000abcd"' in done.stdout and done.stdout.count('"jobID"') == 2


def run(block: str, names: dict[str, Any]) -> Any:
    """Run a block as a cell of a notebook; the value of its last expression."""
    tree = ast.parse(block)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "block", "exec"), names)
    return eval(compile(ast.Expression(last.value), "block", "eval"), names) if last else None


def test_the_lines_in_qgis_add_both_layers(address: str, tmp_path: Path) -> None:
    if not has_qgis():
        pytest.skip("no python3-qgis: sh scripts/clients.sh names the line that brings it")
    (block,) = blocks("in-qgis.md", "python")
    script = tmp_path / "console.py"
    before = "from qgis.core import QgsApplication\napplication = QgsApplication([], True)\napplication.initQgis()\n"
    after = "\nassert all(one.isValid() for one in QgsProject.instance().mapLayers().values())\nimport os\nos._exit(0)\n"
    script.write_text(
        before + block.replace(WRITTEN, address).replace('cells")', 'cells", flush=True)') + after,
        encoding="utf-8",
    )
    assert re.search(r"14 towns; \d+ × \d+ cells", in_qgis(tmp_path, str(script)))


def test_every_address_in_the_text_is_one_of_the_server(address: str) -> None:
    """Templates of tiles stand for a tile; all others answer."""
    for page in ("in-qgis.md", "with-curl.md", "in-a-notebook.md", "add-a-layer.md"):
        text = re.sub(
            r"```(sh|python)\n.*?```", "", (PAGES / page).read_text(encoding="utf-8"), flags=re.DOTALL
        )
        for found in set(re.findall(rf"{WRITTEN}[^\s`)'\"]*", text)):
            one = (
                found.replace(WRITTEN, address)
                .replace("{z}/{y}/{x}", "14/6347/13977")
                .replace("{z}/{x}/{y}", "14/13977/6347")
            )
            with urlopen(one, timeout=60) as answer:
                assert answer.status == 200, found


class _Stumbling(BaseHTTPRequestHandler):
    """Is busy twice, then breaks off, then hands on."""

    behind = ""
    seen = 0

    def do_GET(self) -> None:
        """One try."""
        type(self).seen += 1
        if self.seen in (1, 2):
            self.send_response(503)
            self.send_header("Retry-After", "0")
            self.end_headers()
            return
        if self.seen == 3:
            self.close_connection = True
            return
        try:
            with urlopen(
                Request(self.behind + self.path, headers={"Accept": self.headers["Accept"]})
            ) as answer:
                body, status, kind = answer.read(), answer.status, answer.headers["Content-Type"]
        except HTTPError as error:
            body, status, kind = error.read(), error.code, error.headers["Content-Type"]
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing."""


def test_a_reader_waits_for_a_busy_server_and_asks_again_when_it_breaks_off(twin: str) -> None:
    from twintown import Twin

    _Stumbling.behind, _Stumbling.seen = twin.partition("/twins")[0], 0
    with ExitStack() as stack:
        proxy = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), _Stumbling))
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        stack.callback(proxy.shutdown)
        patient = Twin(f"http://127.0.0.1:{proxy.server_port}/twins/small")
        assert patient["buildings"].count == 2
    assert _Stumbling.seen > 3


def test_a_layer_is_added_drawn_into_and_removed_as_the_page_says(tmp_path: Path) -> None:
    directory = write_twin(tmp_path / "cities" / "jamsil", "jamsil")
    make_token(directory)
    names = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}

    def run(block: str) -> str:
        told = subprocess.run(
            ["sh", "-ec", block], cwd=tmp_path, env=names, capture_output=True, text=True, timeout=120
        )
        assert told.returncode == 0, told.stderr
        return told.stdout

    add, create, change, remove = blocks("add-a-layer.md", "sh")
    run(add)
    with server(directory) as address:
        assert " 201 " in run(create.replace(WRITTEN, address)).splitlines()[0]
        changed = run(change.replace(WRITTEN, address))
        assert changed.splitlines()[0].split()[1] in ("200", "204"), changed
        with urlopen(f"{address}/twins/jamsil/collections/benches/items") as page:
            rows = {one["id"]: one["properties"] for one in json.load(page)["features"]}
        assert rows == {"b1": {"seats": 4, "material": "wood"}, "b2": {"seats": 3, "material": "stone"}}
        assert run(remove.replace(WRITTEN, address)).splitlines()[0].split()[1] == "204"
        with pytest.raises(HTTPError) as gone:
            urlopen(f"{address}/twins/jamsil/collections/benches")
        gone.value.close()
        assert gone.value.code == 404
