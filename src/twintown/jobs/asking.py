"""Asking and verifying in one process, as the command line does: what is typed becomes a question, and the answer a few lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from twintown.ground.errors import BadParameter, NotFound
from twintown.jobs.process import Process, Progress, Spread, in_order, processes
from twintown.trust.identity import LOCAL_OWNER
from twintown.trust.policy import Grant, Resource, decide
from twintown.twin.layers import Twin

if TYPE_CHECKING:
    from twintown.jobs.verify import Verdict


class Choices(Protocol):
    """What the installation chose, as far as it counts here (`settings.Settings`)."""

    @property
    def dask_url(self) -> str: ...
    @property
    def public_url(self) -> str: ...


class Resolved(Protocol):
    """A plan at a revision (`scenario.plans.Resolved`)."""

    @property
    def scenario(self) -> Mapping[str, Any]: ...
    @property
    def edits(self) -> Sequence[Mapping[str, Any]]: ...
    @property
    def base(self) -> Mapping[str, str]: ...
    def inputs(self, known: Collection[str]) -> Mapping[str, Any]: ...


def ask_here(
    twin: Twin, name: str, choices: Choices, progress: Progress, *, inputs: Sequence[str], plan: Resolved | None, out: Path | None,
    fresh: bool,
) -> list[str]:  # fmt: skip
    """Ask a process and say in a few lines what came of it.

    Args:
        inputs: `name=value` each; a value is JSON where the input takes more than text.
        plan: to ask of a plan instead of the city.
        out: where to write the evidence package.

    Raises:
        BadParameter: an input is not understood.
        TwintownError: it cannot be answered; see `results.answer`.
    """
    from twintown.jobs.package import keep, pack
    from twintown.jobs.question import ask
    from twintown.jobs.results import answer

    process, grant = processes().find(name), owner(twin)
    edits: Sequence[Mapping[str, Any]] = plan.edits if plan else ()
    options = typed(process, inputs)
    if plan is not None:
        options = {**plan.inputs({one.name for one in process.inputs}), **options}
    question = ask(
        twin, grant, process, options, edits, plan.scenario if plan else None, fresh,
        base=plan.base if plan else None,
    )  # fmt: skip
    made = answer(twin, grant, question, progress, spread=_spread(choices))
    said = (made.job.results or {})["outputs"]
    told = [
        f"{process.id} {process.version}: {'answered before' if made.reused else _seconds(made.job.results or {})}"
    ]
    for output, version in made.outputs.items():
        told.append(f"  {version.layer}  {version.kind}, {version.count:,} · {said[output]['content'][:19]}…")
    if out is not None:
        size = keep(pack(twin, grant, made.job, choices.public_url), out)
        told.append(f"{out}: {size:,} bytes; anyone repeats it with: twintown verify {out}")
    return told


def verify_here(
    file: Path, did: Path | None, twin: Twin | None, choices: Choices, progress: Progress
) -> Verdict:
    """Repeat the result in a file.

    Args:
        did: a DID document that you have from the city itself.
        twin: whose keys, peers and layers are known.

    Raises:
        NotFound: there is no such file.
        BadData: the DID document is none.
    """
    from twintown.jobs.package import parsed
    from twintown.jobs.uploads import keys, nearby
    from twintown.jobs.verify import verify
    from twintown.jobs.work import rooms

    for one in (file, did):
        if one is not None and not one.is_file():
            raise NotFound("there is no such file", str(one), "check the path")
    here: dict[str, Any] = {}
    if did is not None:
        document = parsed(did.read_bytes(), str(did))
        here[str(document.get("id"))] = document
    known = (
        (lambda name: (here[name], "here") if name in here else None)
        if twin is None
        else keys(twin, here | _own(twin, choices))
    )
    local = nearby(twin, owner(twin)) if twin else (lambda one: None)
    with rooms() as room:
        return verify(file, progress, known=known, local=local, spread=_spread(choices), room=room)


def progress_line(quiet: bool) -> Progress:
    """Progress on one line of a terminal, on standard error; nothing elsewhere."""
    shown = not quiet and sys.stderr.isatty()

    def tell(stage: str, fraction: float) -> None:
        if shown:
            line = f"{100 * fraction:3.0f} %  {stage[:80]}" if fraction < 1 else ""
            sys.stderr.write(f"\r\x1b[K{line}")
            sys.stderr.flush()

    return tell


def owner(twin: Twin) -> Grant:
    """Whoever can run commands on the twin's files owns them."""
    return decide(LOCAL_OWNER, "run", Resource(twin.description.id))


def typed(process: Process, given: Sequence[str]) -> dict[str, Any]:
    """Inputs as they were typed, in their types.

    Raises:
        BadParameter: not `name=value`, said twice, or no JSON where the input takes more than text.
    """
    kinds = {one.name: one.types for one in process.inputs}
    found: dict[str, Any] = {}
    for one in given:
        name, sign, text = one.partition("=")
        if not sign or not name:
            raise BadParameter(
                "input",
                f"{one!r} is not NAME=VALUE",
                remedy=f"{process.id} takes {', '.join(kinds) or 'none'}",
            )
        if name in found:
            raise BadParameter(name, "is said twice", remedy="say it once")
        types = kinds.get(name, (str,))
        try:
            found[name] = text if types == (str,) else json.loads(text)
        except ValueError as error:
            if str not in types:
                raise BadParameter(
                    name,
                    f"{text!r} is no JSON",
                    remedy="write numbers as 1.5, lists as [1, 2], truth as true",
                ) from error
            found[name] = text
    return found


def _own(twin: Twin, choices: Choices) -> dict[str, Any]:
    from twintown.jobs.manifest import identity

    document = identity(twin, choices.public_url)
    return {document["id"]: document}


def _spread(choices: Choices) -> Spread:
    if not choices.dask_url:
        return in_order
    from twintown.jobs.spread import on_cluster

    return on_cluster(choices.dask_url)


def _seconds(results: Mapping[str, Any]) -> str:
    return f"{results.get('seconds', 0):.1f} s"
