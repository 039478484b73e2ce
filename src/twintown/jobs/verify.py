"""Repeating a result: the same question asked again of the enclosed inputs, by the same code that answers jobs, and compared.

No trust in the sender is needed. Each input is checked against its digest before it is read; nothing of the package is run; the
error that counts is the one that the process here declares, not the one that the package states. The signature is another matter, told
beside the verdict: a result can be right and its signature broken, or signed and wrong.

Verdicts: `same`, `within-error` (no value differs by more than the output's declared error), `different` (and where), `cannot`
(and why: a process, a version or a kernel that is not here, an input that is missing or damaged, a package that cannot be read).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from numpy.typing import DTypeLike, NDArray

from twintown.ground.content import content_digest
from twintown.ground.errors import BadInput, NotFound, NotPossible, PluginFailed, TooLarge, TwintownError
from twintown.jobs.code import code_of, differences, environment
from twintown.jobs.differences import Difference, Sameness, difference
from twintown.jobs.enclosed import shape_in
from twintown.jobs.job import Late
from twintown.jobs.package import MOST, Package
from twintown.jobs.process import (
    Process,
    Progress,
    Shape,
    Spread,
    in_memory,
    in_order,
    processes,
    run,
    silent,
)
from twintown.jobs.question import Question, edited, without_layers
from twintown.jobs.words import CANNOT, ENCLOSED, Words, cannot, summary
from twintown.trust.proof import Finding, check

if TYPE_CHECKING:
    from twintown.jobs.work import Work

Outcome: TypeAlias = Literal["same", "within-error", "different", "cannot"]
#: Who knows the keys of a city: a DID document for a name, and how it is known (`here`, `peer`); none where it is not.
Known: TypeAlias = Callable[[str], tuple[Mapping[str, Any], str] | None]
#: Who else has an input: its file by what the manifest says of it; none where it is not here either.
Local: TypeAlias = Callable[[Mapping[str, Any]], Path | None]
_WORSE: tuple[Outcome, ...] = ("same", "within-error", "different", "cannot")


@dataclass(frozen=True)
class Signature:
    """Whether a manifest is signed by whom it names. `by` says whose word the key is: `here`, `peer`, or `enclosed`."""

    good: bool
    did: str
    by: str
    findings: tuple[Finding, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        found = [one.to_dict() for one in self.findings]
        if self.good and self.by == "enclosed":
            found.append({"code": ENCLOSED.code, "what": ENCLOSED.what})
        return {
            "good": self.good,
            "did": self.did,
            "by": self.by,
            "resolved": self.by in ("here", "peer"),
            "findings": found,
        }


@dataclass(frozen=True)
class OutputVerdict:
    """One output, computed again. `stated` and `found` are digests of the content."""

    output: str
    layer: str
    title: Mapping[str, str]
    difference: Difference
    stated: str
    found: str

    def to_dict(self) -> dict[str, Any]:
        one = self.difference
        return {
            "output": self.output, "layer": self.layer, "title": dict(self.title), "verdict": one.verdict, "what": one.what,
            "max_difference": one.largest, "unit": one.unit, "count": one.differing, "of": one.compared, "beyond_error": one.beyond,
            "where": one.where or None, "stated": self.stated, "found": self.found,
        }  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """What came of repeating a result.

    Args:
        reasons: why it cannot be repeated, or what else is wrong, each a code and a sentence.
        what: the verdict in a sentence, in both languages.
        code: what of the code and the machine is known there and here.
        notes: what a reader should know besides.
    """

    verdict: Outcome
    signature: Signature
    outputs: tuple[OutputVerdict, ...] = ()
    reasons: tuple[Finding, ...] = ()
    what: Words = field(default_factory=dict)
    process: str = ""
    question: str = ""
    city: Mapping[str, Any] = field(default_factory=dict)
    code: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    notes: tuple[Words, ...] = ()

    @property
    def sealed(self) -> bool:
        """Whether it earns the green seal: the same result, under a good signature by keys that were looked up."""
        return self.verdict == "same" and self.signature.good and self.signature.by != "enclosed"

    def to_dict(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict, "sealed": self.sealed, "what": dict(self.what), "signature": self.signature.to_dict(),
            "outputs": [one.to_dict() for one in self.outputs], "reasons": [one.to_dict() for one in self.reasons],
            "process": self.process, "question": self.question, "city": dict(self.city),
            "code": {name: dict(pair) for name, pair in self.code.items()}, "notes": [dict(one) for one in self.notes],
        }  # fmt: skip


class _Cannot(NotPossible):
    """The result cannot be repeated: a code and a sentence."""

    def __init__(self, code: str, what: str) -> None:
        super().__init__(what)
        self.finding = Finding(code, what)


def verify(
    given: Path | bytes,
    progress: Progress = silent,
    *,
    known: Known = lambda did: None,
    local: Local = lambda one: None,
    spread: Spread = in_order,
    room: Callable[[tuple[int, ...], DTypeLike], NDArray[Any]] = in_memory,
    most: int = MOST,
    scratch: Path | None = None,
) -> Verdict:
    """Repeat the result in an evidence package (or of a manifest alone, where the inputs are here).

    Args:
        given: the file, or its bytes.
        progress: told what is being done and how far it is; what it raises ends the work.
        known: whose keys are known without the package.
        local: where inputs are that the package does not enclose.
        most: bytes that the package may unpack to, and an input in memory.
        scratch: the folder to unpack in; the system's for temporary files by default.
    """
    with tempfile.TemporaryDirectory(prefix="verify-", dir=scratch) as name:
        folder = Path(name)
        path = given if isinstance(given, Path) else folder / "given"
        if isinstance(given, bytes):
            path.write_bytes(given)
        try:
            package = Package(path, folder, most)
        except (TwintownError, OSError) as error:
            unread = Signature(False, "", "", (Finding("no-proof", "no manifest could be read"),))
            return _told("cannot", unread, reasons=(Finding("unreadable", _line(error)),))
        with package:
            progress("checking the signature", 0.0)
            signature = _signature(package, known)
            return _Repeat(package, signature, progress, local, spread, room, most).verdict()


def _signature(package: Package, known: Known) -> Signature:
    issuer = package.manifest.get("issuer")
    did = str((issuer.get("id") if isinstance(issuer, dict) else issuer) or "")[:512]
    looked_up = known(did) if did else None
    document, by = looked_up if looked_up is not None else (package.did, "enclosed")
    if not document:
        missing = Finding("no-keys", "nobody here knows the keys of the issuer, and none are enclosed")
        return Signature(False, did, "", (missing,))
    found = check(package.manifest, document)
    return Signature(not found, did, by, found)


class _Repeat:
    """One result, asked again."""

    def __init__(
        self, package: Package, signature: Signature, progress: Progress, local: Local, spread: Spread,
        room: Callable[[tuple[int, ...], DTypeLike], NDArray[Any]], most: int,
    ) -> None:  # fmt: skip
        self.package, self.signature, self.progress, self.local = package, signature, progress, local
        self.spread, self.room, self.most = spread, room, most
        self.outputs: list[OutputVerdict] = []
        self.notes: list[Words] = []
        self.said: dict[str, Any] = {}

    def verdict(self) -> Verdict:
        reasons: list[Finding] = []
        try:
            subject, question = self._question()
            process = self._process(subject, question)
            self._compared(subject, question, process)
            verdict: Outcome = max((one.difference.verdict for one in self.outputs), key=_WORSE.index)
            if verdict == "different" and (other := self._other_code(subject, process)):
                verdict, reasons = "cannot", [other]
        except _Cannot as error:
            verdict, reasons = "cannot", [error.finding]
        return _told(
            verdict, self.signature, tuple(self.outputs), tuple(reasons), notes=tuple(self.notes), **self.said
        )

    def _question(self) -> tuple[Mapping[str, Any], Question]:
        with _malformed():
            subject = self.package.manifest["credentialSubject"]
            process, place = subject["process"], subject["place"]
            if not all(isinstance(subject[name], Mapping) for name in ("parameters", "place", "city")):
                raise ValueError("it states a list where an object should be")
            layers = {
                str(one["layer"]): {
                    "version": str(one["version"]),
                    "digest": str(one["digest"]),
                    "grade": str(one["grade"]),
                }
                for one in subject["inputs"]
            }
            question = Question(
                str(process["id"]), str(process["version"]), dict(subject["parameters"]), layers,
                tuple(dict(edit) for edit in subject["edits"]), subject.get("scenario"), dict(place), True,
                dict(subject.get("narrowed") or {}),
            )  # fmt: skip
            self.said = {
                "process": question.process,
                "question": str(subject["question"])[:80],
                "city": dict(subject["city"]),
            }
            if not subject["outputs"]:
                raise ValueError("it states no outputs")
            if question.digest != subject["question"]:
                self.notes.append(
                    {
                        "ko": "질문의 지문이 적힌 것과 다릅니다",
                        "en": "the digest of the question is not the stated one",
                    }
                )
        return subject, question

    def _process(self, subject: Mapping[str, Any], question: Question) -> Process:
        try:
            process = processes().find(question.process)
        except NotFound as error:
            raise _Cannot("process-not-here", _line(error)) from error
        except PluginFailed as error:
            raise _Cannot("process-broken", _line(error)) from error
        there = subject.get("code")
        there = there if isinstance(there, Mapping) else {}
        self.said["code"] = _code(there, subject.get("environment"), question, process)
        if process.version != question.version:
            raise _Cannot(
                "version-not-here",
                f"the result was made by {process.id} version {question.version[:40]}, and here is version {process.version}",
            )
        return process

    def _compared(self, subject: Mapping[str, Any], question: Question, process: Process) -> None:
        """Ask again and compare, one output at a time."""
        with _malformed():
            stated = {str(one["output"]): one for one in subject["outputs"]}
        for name in stated.keys() - {one.layer for one in process.outputs}:
            raise _Cannot("other-outputs", f"{process.id} {process.version} gives no output {name[:64]!r}")
        from twintown.city.edits import (
            MOST_EDITS,
            parse,
        )  # shapes of buildings, which a server starts without

        with self._refused(process):
            if len(question.edits) > MOST_EDITS:
                raise TooLarge(f"{len(question.edits):,} edits; {MOST_EDITS:,} are taken")
            ask = without_layers(question)
            process.check(question.inputs)
            if process.accept is not None:
                process.accept(ask)
        with _malformed():
            read = {str(one["layer"]): self._input(one) for one in subject["inputs"]}
        with self._refused(process):
            layers = edited(read, [parse(edit, ask.frame) for edit in question.edits])
            ask = replace(ask, layers=layers, progress=self._within, spread=self.spread, room=self.room)
            for name, shape in run(process, ask):
                if name in stated:
                    self.outputs.append(self._output(process, name, stated[name], shape))
        self.progress("compared", 1.0)

    def _within(self, stage: str, fraction: float) -> None:
        self.progress(stage, 0.1 + 0.85 * fraction)

    def _input(self, one: Mapping[str, Any]) -> Shape:
        layer = str(one["layer"])[:64]
        self.progress(f"checking {layer}", 0.02)
        try:
            path = self.package.file("inputs", str(one["digest"]))
        except TwintownError as error:
            raise _Cannot("input-damaged", f"the input {layer}: {_line(error)}") from error
        path = path or self.local(one)
        if path is None:
            where = one.get("href") or next(
                (s.get("url") for s in one.get("sources") or () if isinstance(s, dict)), ""
            )
            raise _Cannot(
                "input-missing",
                f"the input {layer} is not enclosed and not here; it was at {str(where)[:200] or '?'}",
            )
        try:
            shape = shape_in(path, str(one["kind"]), self.most)
        except TwintownError as error:
            raise _Cannot("input-damaged", f"the input {layer}: {_line(error)}") from error
        if content_digest(shape) != one["content"]:
            raise _Cannot("input-content", f"the input {layer} says something else than the manifest states")
        return shape

    def _output(self, process: Process, name: str, stated: Mapping[str, Any], shape: Shape) -> OutputVerdict:
        self.progress(f"comparing {name}", 0.95)
        output = next(one for one in process.outputs if one.layer == name)
        mark, said = content_digest(shape), str(stated.get("content"))
        told = Difference("same", unit=output.unit)
        enclosed: Shape | None = None
        damage = ""
        try:
            path = self.package.file("outputs", str(stated.get("digest")))
            if path is not None:
                enclosed = shape_in(path, str(stated.get("kind")), self.most)
        except TwintownError as error:
            damage = f"the enclosed result is not the one that the manifest states: {_line(error)}"
        if enclosed is not None and content_digest(enclosed) != said:
            damage = "the enclosed result is not the one that the manifest states"
        if damage:
            found = difference(enclosed, shape, output.error, output.unit) if enclosed is not None else told
            told = replace(found, verdict="different", what=damage)
        elif mark != said and enclosed is None:
            told = Difference(
                "different",
                "the digests differ; the result itself is not enclosed, so where is not known",
                unit=output.unit,
            )
        elif mark != said and enclosed is not None:
            told = difference(enclosed, shape, output.error, output.unit)
        title = {lang: str(text)[:200] for lang, text in output.title.to_dict().items()}
        return OutputVerdict(name, str(stated.get("layer"))[:100], title, told, said[:80], mark)

    def _other_code(self, subject: Mapping[str, Any], process: Process) -> Finding | None:
        """Why a difference may be the code's: sources behind the process that are not those of the manifest."""
        there = subject.get("code")
        apart = differences(there if isinstance(there, Mapping) else {}, code_of(process))
        names = [*(f"kernels.{one}" for one in apart["kernels"]), *apart["modules"]]
        if not names:
            return None
        said = ", ".join(name[:60] for name in names[:5]) + (
            f" and {len(names) - 5} more" if len(names) > 5 else ""
        )
        return Finding(
            "kernel-not-here",
            f"the result was computed by another version of {said}, which is not here; what is here gives another",
        )

    @contextmanager
    def _refused(self, process: Process) -> Iterator[None]:
        """Whatever a stranger's question makes a process do ends in a sentence."""
        try:
            yield
        except (_Cannot, Late):
            raise
        except TwintownError as error:
            code = (
                "question-refused" if isinstance(error, BadInput | NotFound | TooLarge) else "process-failed"
            )
            raise _Cannot(code, f"{process.id}: {_line(error)}") from error
        except MemoryError as error:
            raise _Cannot(
                "too-large", f"{process.id}: there is not enough memory here to repeat it"
            ) from error
        except Exception as error:
            line = (str(error).strip().splitlines() or [""])[0][:200]
            raise _Cannot("process-failed", f"{process.id} broke ({type(error).__name__}: {line})") from error


@contextmanager
def _malformed() -> Iterator[None]:
    """A manifest of another form than ours."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise _Cannot(
            "manifest-malformed", f"the manifest is not of the form that is known here ({error!s:.120})"
        ) from error


def _told(
    verdict: Outcome, signature: Signature, outputs: tuple[OutputVerdict, ...] = (), reasons: tuple[Finding, ...] = (), **said: Any
) -> Verdict:  # fmt: skip
    what = (
        cannot(reasons[0])
        if verdict == "cannot" and reasons
        else summary(verdict, [one.difference for one in outputs])
    )
    return Verdict(verdict, signature, outputs, reasons, what, **said)


def _line(error: BaseException) -> str:
    """An error in a line; no path of this machine."""
    if isinstance(error, TwintownError):
        where = "" if error.where.startswith("/") else error.where
        return f"{where}: {error.what}" if where else error.what
    return f"{type(error).__name__}"


def _code(
    there: Mapping[str, Any], environment_there: object, question: Question, process: Process
) -> dict[str, dict[str, str]]:
    """What is known of the code and the machine, there and here."""
    here, place = code_of(process), environment()
    far = environment_there if isinstance(environment_there, Mapping) else {}
    told = {
        f"process {process.id}": (question.version, process.version),
        "twintown": (there.get("twintown"), here["twintown"]),
        "sources": (str(there.get("sources"))[7:19], str(here["sources"])[7:19]),
        "python": (far.get("python"), place["python"]),
        "machine": (f"{far.get('system')} {far.get('machine')}", f"{place['system']} {place['machine']}"),
    }
    libraries = far.get("libraries")
    libraries = libraries if isinstance(libraries, Mapping) else {}
    told |= {
        name: (libraries.get(name), place["libraries"].get(name)) for name in ("numpy", "numba", "llvmlite")
    }
    return {name: {"there": str(a or "")[:60], "here": str(b or "")[:60]} for name, (a, b) in told.items()}


def task(work: Work) -> Mapping[str, Any]:
    """Verify what was uploaded for a job of the kind `verification`; its results are the verdict."""
    from twintown.jobs.uploads import fetched, keys, nearby

    request = work.job.request
    with fetched(work.twin, str(request["blob"])) as path:
        told = verify(
            path, work.progress, known=keys(work.twin, request.get("known") or {}), local=nearby(work.twin, work.grant),
            spread=work.spread, room=work.room, most=int(request.get("most") or MOST),
        )  # fmt: skip
    return told.to_dict()


__all__ = ["CANNOT", "OutputVerdict", "Sameness", "Signature", "Verdict", "task", "verify"]
