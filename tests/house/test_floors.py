"""Rules 1 to 4: who may import whom, what kernels know, where the world is touched."""

from __future__ import annotations

import ast
import subprocess
import sys

from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

from .conftest import ROOT, modules

#: Rooms that decide and touch nothing: no files, no clock, no database, no network.
PURE = {
    "trust/policy", "trust/terms", "trust/grades", "build/plan", "jobs/job", "city/edits", "scenario/scenario",
    "exchange/agreement", "exchange/negotiation", "exchange/programme", "exchange/transfer_process",
    "programme/event", "programme/reach", "programme/account", "programme/meetings", "programme/duties",
}  # fmt: skip
WORLD = {
    "os",
    "io",
    "socket",
    "subprocess",
    "sqlalchemy",
    "httpx",
    "requests",
    "obstore",
    "shutil",
    "tempfile",
    "time",
    "random",
}
SERVING = {"fastapi", "starlette", "uvicorn", "aiohttp", "flask", "http"}
ROOF = {"cli", "app", "settings", "keeper"}


def test_a_room_imports_only_the_floors_below_it_and_every_file_has_a_floor() -> None:
    # What it prints names each broken chain; pytest shows it when this fails.
    assert lint_imports(config_filename=str(ROOT / ".importlinter"), no_cache=True) == EXIT_STATUS_SUCCESS


def test_kernels_know_numbers_only() -> None:
    allowed = {
        "__future__",
        "collections",
        "concurrent",
        "dataclasses",
        "functools",
        "math",
        "numba",
        "numpy",
        "twintown",
        "typing",
    }
    # `spread` asks the system how many processors there are, and to run behind everybody else.
    mays = {
        "kernels/spread": allowed | {"contextlib", "contextvars", "os", "sys", "threading"},
        "kernels/scratch": allowed | {"threading"},
    }
    strangers = {
        m.name: sorted(m.imports() - mays.get(m.name, allowed)) for m in modules() if m.room == "kernels"
    }
    assert not {name: found for name, found in strangers.items() if found}


def test_compiled_loops_live_in_kernels_only() -> None:
    assert not [m.name for m in modules() if "numba" in m.imports() and m.room != "kernels"]


def test_http_is_served_in_the_api_and_at_the_roof_only() -> None:
    # `http` is also what the client asks with, through the standard library
    mays = {"client": SERVING - {"http"}}
    assert not [
        m.name for m in modules() if m.imports() & mays.get(m.room, SERVING) and m.room not in {"api", *ROOF}
    ]


def test_what_decides_touches_nothing() -> None:
    there = {m.name: m for m in modules()}
    assert PURE <= set(there), f"gone or renamed: {sorted(PURE - set(there))}"
    touched = {name: sorted(there[name].imports() & WORLD) for name in PURE}
    assert not {name: found for name, found in touched.items() if found}


def test_one_file_of_the_exchange_asks_other_servers() -> None:
    asking = {"httpx", "requests", "socket", "aiohttp"}
    wing = [m for m in modules() if m.room == "exchange"]
    found = {m.name for m in wing if m.imports() & asking or "urllib.request" in m.text}
    assert found <= {"exchange/courier"}


def test_settings_are_read_at_the_roof_only() -> None:
    readers = []
    for module in modules():
        for node in ast.walk(module.tree):
            if (
                isinstance(node, ast.Attribute)
                and node.attr in {"environ", "getenv"}
                and not {module.name, module.room} & ROOF
            ):
                readers.append(module.name)
    assert not readers


def test_importing_the_package_imports_nothing() -> None:
    root = next(m for m in modules() if m.name == "__init__")
    assert not [node for node in root.tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    asked = "import sys, twintown; print(sorted(n for n in sys.modules if n.startswith('twintown')))"
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout
    assert told.strip() == "['twintown']"
