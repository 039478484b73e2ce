"""Which code gave an answer, and where: digests of the sources behind a process, and the machine that ran them.

The sources behind a process are its module and whatever of its package (and of ours) that imports, directly or not. So another kernel
that has nothing to do with it does not change its digest, and the one line that does is told by name.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import platform
import sys
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from twintown.ground.provenance import digest_of
from twintown.jobs.process import Process

OURS = "twintown"
KERNELS = f"{OURS}.kernels."
#: What makes the edits of a plan to the layers before the process sees them.
EDITS = f"{OURS}.city.edits"
#: What the last bit of a result may hang on.
PACKAGES = ("numpy", "numba", "llvmlite", "scipy", "shapely", "pyproj", "pvlib", "pandas", "geopandas")


def code_of(process: Process) -> dict[str, Any]:
    """The package and the sources behind a process, as JSON: `package`, `sources` (one digest of all), and one a module."""
    module = getattr(process.run, "__module__", "") or ""
    modules = {**dict(sources(EDITS)), **dict(sources(module))}
    package = module.partition(".")[0]
    return {
        "package": {"name": package, "version": _version(package)},
        "twintown": _version(OURS),
        "sources": digest_of(modules),
        "kernels": {name.removeprefix(KERNELS): mark for name, mark in modules.items() if name.startswith(KERNELS)},
        "modules": {name: mark for name, mark in modules.items() if not name.startswith(KERNELS)},
    }  # fmt: skip


def environment() -> dict[str, Any]:
    """Where it was computed: interpreter, libraries, system and machine, as JSON. No name of a host or a person."""
    libraries = {name: found for name in PACKAGES if (found := _version(name))}
    return {
        "python": platform.python_version(), "implementation": sys.implementation.name, "libraries": libraries,
        "system": platform.system(), "machine": platform.machine(), "processors": os.cpu_count() or 1,
    }  # fmt: skip


def differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> dict[str, list[str]]:
    """What of two `code_of` is not the same: `kernels` and `modules` by name; empty lists where nothing is."""
    found = {}
    for part in ("kernels", "modules"):
        one, other = there.get(part), here.get(part)
        one, other = (x if isinstance(x, Mapping) else {} for x in (one, other))
        found[part] = sorted(name for name in {*one, *other} if one.get(name) != other.get(name))
    return found


@lru_cache(maxsize=64)
def sources(module: str) -> tuple[tuple[str, str], ...]:
    """Every module behind `module`, itself too, with the digest of its source, by name; those without a source are left out."""
    tops = {module.partition(".")[0], OURS}
    found: dict[str, str] = {}
    todo = [module]
    while todo:
        name = todo.pop()
        if name in found or name.partition(".")[0] not in tops:
            continue
        source, is_package = _source(name)
        if source is None:
            continue
        found[name] = f"sha256:{hashlib.sha256(source).hexdigest()}"
        todo.extend(_imports(name, source, is_package))
    return tuple(sorted(found.items()))


def _source(name: str) -> tuple[bytes | None, bool]:
    """The source of a module with one kind of line end, and whether it is a package; without importing it."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, AttributeError, ValueError):
        return None, False
    if spec is None or not spec.origin or not spec.origin.endswith(".py"):
        return None, False
    try:
        with open(spec.origin, "rb") as file:
            return file.read().replace(b"\r\n", b"\n"), spec.submodule_search_locations is not None
    except OSError:
        return None, False


def _imports(name: str, source: bytes, is_package: bool) -> list[str]:
    """The modules that a source names; of `from a import b` both `a` and `a.b`, whichever of them are modules."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = name.split(".") if is_package else name.split(".")[:-1]
                parents = parents[: len(parents) - node.level + 1]
                base = ".".join([*parents, base]) if base else ".".join(parents)
            found += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return found


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
