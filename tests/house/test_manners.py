"""Rules 5 to 11: seams, names, errors, evidence, Grants, sizes."""

from __future__ import annotations

import ast
import inspect
import re
import statistics
import tomllib

import pytest

from .conftest import ROOT, SOURCE, modules

EMPTY_WORDS = {"util", "utils", "helper", "helpers", "common", "core", "base", "misc", "manager", "managers",
               "handler", "handlers", "service", "services"}  # fmt: skip


def test_built_in_sources_and_processes_come_through_the_same_door_as_plug_ins() -> None:
    entry_points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    for seam, room, idea in (
        ("twintown.sources", "sources", "source"),
        ("twintown.processes", "processes", "process"),
    ):
        targets = set(entry_points[seam].values())
        assert targets, f"nothing is registered under {seam}"
        assert all(target.startswith(f"twintown.{room}.") for target in targets)
        # Nobody in the house may import a built-in by name to register it behind the door's back.
        registry = SOURCE / ("jobs" if idea == "process" else "sources") / f"{idea}.py"
        assert f"twintown.{room}" in registry.read_text(), f"{registry} does not open the door {seam}"


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert not [m.name for m in modules() if set(re.split(r"[/_]", m.name)) & EMPTY_WORDS]


def test_there_is_one_error_tree_and_it_is_drawn_in_its_docstring() -> None:
    from twintown.ground import errors

    elsewhere = [
        f"{m.name}.{node.name}"
        for m in modules()
        if m.name != "ground/errors"
        for node in ast.walk(m.tree)
        if isinstance(node, ast.ClassDef)
        and any(isinstance(b, ast.Name) and b.id.endswith(("Error", "Exception")) for b in node.bases)
    ]
    assert not elsewhere
    classes = [
        c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, errors.TwintownError)
    ]
    assert not [c.__name__ for c in classes if c.__name__ not in (errors.__doc__ or "")]


def test_every_error_has_a_place_in_the_one_table_to_http_status() -> None:
    from twintown.api.problems import status_of
    from twintown.ground import errors

    for _, kind in inspect.getmembers(errors, inspect.isclass):
        if issubclass(kind, errors.TwintownError):
            error = kind("x", "y") if issubclass(kind, errors.BadParameter) else kind("x")
            assert 400 <= status_of(error) <= 599


def test_every_kernel_cites_a_key_of_the_references() -> None:
    keys = set(re.findall(r"@\w+\{([^,\s]+),", (ROOT / "references.bib").read_text()))
    silent = [
        m.name
        for m in modules()
        if m.room == "kernels"
        and m.name not in {"kernels/__init__", "kernels/scratch", "kernels/spread"}
        and not any(k in m.text for k in keys)
    ]
    assert keys
    assert not silent


def test_every_process_names_units_citations_and_validation_cases_that_exist() -> None:
    from twintown.jobs.process import processes

    keys = set(re.findall(r"@\w+\{([^,\s]+),", (ROOT / "references.bib").read_text()))
    found = processes()
    assert found.broken == {}
    assert found.working
    for process in found.working.values():
        assert process.citations, process.id
        assert set(process.citations) <= keys, process.id
        assert process.validation, process.id
        for case in process.validation:
            assert (ROOT / "validation" / f"{case}.py").exists(), f"{process.id}: no validation case {case}"
        assert all(item.unit for item in (*process.inputs, *process.outputs)), process.id


def test_no_reader_of_a_twin_works_without_a_grant() -> None:
    from twintown.twin.layers import Twin

    for reader in (Twin.layers, Twin.version, Twin.read, Twin.products, Twin.product, Twin.product_file):
        parameter = inspect.signature(reader).parameters["grant"]
        assert parameter.default is inspect.Parameter.empty, reader


def test_modules_stay_small() -> None:
    sizes = sorted(m.lines for m in modules() if m.lines > 3)
    assert statistics.median(sizes) <= 150
    assert sizes[int(0.9 * len(sizes))] <= 400
    assert sizes[-1] <= 600, max(modules(), key=lambda m: m.lines).name


def test_a_file_of_the_api_over_300_lines_would_miss_a_word_downstairs() -> None:
    assert not [(m.name, m.lines) for m in modules() if m.room == "api" and m.lines > 300]


def test_every_module_and_public_name_is_explained() -> None:
    silent = []
    for module in modules():
        if module.name == "__init__":
            continue
        if ast.get_docstring(module.tree) is None:
            silent.append(module.name)
        for node in module.tree.body:
            if (
                isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
                and not node.name.startswith("_")
                and ast.get_docstring(node) is None
            ):
                silent.append(f"{module.name}.{node.name}")
    assert not silent


@pytest.mark.parametrize(
    ("folder", "below"),
    [("api", set()), ("state", {"api"}), ("scene", {"api", "state"}), ("panels", {"api", "state"})],
)
def test_the_viewer_follows_the_same_law(folder: str, below: set[str]) -> None:
    rooms = {"api", "state", "scene", "panels"}
    files = [
        p
        for p in (ROOT / "web" / "src" / folder).rglob("*")
        if p.suffix in {".ts", ".vue"} and ".test." not in p.name
    ]
    assert files
    for path in files:
        for target in re.findall(
            r"""from\s+['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]""", path.read_text(encoding="utf-8")
        ):
            name = target[0] or target[1]
            if name.startswith("."):
                parts = (path.parent / name).resolve().relative_to(ROOT / "web" / "src").parts
                room = parts[0] if parts else ""
            else:
                room = name.removeprefix("@/").split("/")[0] if name.startswith("@/") else ""
            assert room not in rooms or room == folder or room in below, (
                f"{path.relative_to(ROOT)} imports {name}"
            )
