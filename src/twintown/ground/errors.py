"""The one error tree of the house.

    TwintownError
    ├── BadInput            what a person or a file gave cannot be used
    │   ├── BadData         the content of a file (truncated, wrong encoding, wrong projection, swapped axes)
    │   │   └── BadContent  a document with places in it that can be named one by one
    │   ├── UnknownFormat   the content is of a kind, or in an encoding, that is not taken here
    │   ├── PreconditionRequired  say which state you mean to change
    │   ├── BadParameter    one named parameter of a request
    │   └── BadSettings     twintown.toml, an environment variable, an option
    ├── NotFound            no such twin, layer, object, version
    │   ├── NoSuchProcess   no process of that name, or the twin has not what it needs
    │   ├── NoSuchJob       no job of that name that you may see
    │   ├── NotReady        the job is not done yet
    │   └── Gone            it was here: a version that a cursor remembers and that is not kept any more
    ├── Unauthenticated     who are you?
    │   └── BadAssertion    a city's signed token does not hold; `code` says why
    ├── Denied              we know, and no
    ├── NotPossible         nobody can do this with this thing, whoever asks
    ├── Conflict            it changed meanwhile
    │   ├── PreconditionFailed  the state that the caller means is not the present one
    │   ├── WrongState  what is going on between two cities does not allow this step now
    │   └── Busy            somebody else is at it (a second builder)
    ├── TooLarge            more than this end point or source takes
    ├── TooMany             more at once than one caller may have waiting
    ├── Unreachable         another city does not answer, or not as it should
    ├── StorageFailed       the bucket is away, the database refuses
    │   └── StorageFull     the disk is full
    └── PluginFailed        a source or process from outside broke

Every error says *what* happened, *where*, and what to do about it (`remedy`); `str()` is that one line.
`api/problems.py` holds the one table from these classes to HTTP status.
"""

from __future__ import annotations


class TwintownError(Exception):
    """What happened, where, and what to do.

    Args:
        what: one sentence, no full stop.
        where: file, key, layer, address: what the reader must open to see it.
        remedy: what to do next, in the imperative.
    """

    def __init__(self, what: str, where: str = "", remedy: str = "") -> None:
        self.what = what
        self.where = where
        self.remedy = remedy
        super().__init__(what, where, remedy)

    def __str__(self) -> str:
        line = f"{self.where}: {self.what}" if self.where else self.what
        return f"{line}; {self.remedy}" if self.remedy else line


class BadInput(TwintownError):
    """What a person or a file gave cannot be used."""


class BadData(BadInput):
    """The content of a file cannot be used."""


class BadContent(BadData):
    """A document cannot be used, and `findings` says where: (JSON pointer, line from 1 or 0, what is wrong) each.

    `what` and `where` are those of the first finding.
    """

    def __init__(
        self, what: str, where: str = "", remedy: str = "", findings: tuple[tuple[str, int, str], ...] = ()
    ) -> None:
        super().__init__(what, where, remedy)
        self.findings = findings
        self.args = (what, where, remedy, findings)  # so that it survives pickling between processes


class UnknownFormat(BadInput):
    """Content of a kind, or in an encoding, that is not taken here."""


class PreconditionRequired(BadInput):
    """The caller did not say which state of the thing it means to change."""


class BadParameter(BadInput):
    """One named parameter of a request cannot be used."""

    def __init__(self, name: str, what: str, where: str = "", remedy: str = "") -> None:
        self.name = name
        super().__init__(what, where or name, remedy)
        self.args = (name, what, where, remedy)  # so that it survives pickling between processes


class BadSettings(BadInput):
    """A description, an environment variable or an option cannot be used."""


class NotFound(TwintownError):
    """There is no such twin, layer, object or version (or none that you may see)."""


class NoSuchProcess(NotFound):
    """There is no process of that name here, or the twin has not the layers that it needs."""


class NoSuchJob(NotFound):
    """There is no job of that name, or none that you may see."""


class NotReady(NotFound):
    """The job is not done yet: ask again later."""


class Gone(NotFound):
    """It was here and is not kept any more."""


class Unauthenticated(TwintownError):
    """The caller did not prove who it is; `code` names the rule for programs, where one decided."""

    def __init__(self, what: str, where: str = "", remedy: str = "", code: str = "") -> None:
        super().__init__(what, where, remedy)
        self.code = code
        self.args = (what, where, remedy, code)  # so that it survives pickling between processes


class BadAssertion(Unauthenticated):
    """The signed token that came with another city's message does not hold; `code` names the reason for programs."""


class Denied(TwintownError):
    """The caller is known and may not; `code` names the rule for programs, where one decided."""

    def __init__(self, what: str, where: str = "", remedy: str = "", code: str = "") -> None:
        super().__init__(what, where, remedy)
        self.code = code
        self.args = (what, where, remedy, code)


class NotPossible(TwintownError):
    """The thing is not made for this; `allowed` are the HTTP methods that it is made for."""

    def __init__(self, what: str, where: str = "", remedy: str = "", allowed: tuple[str, ...] = ()) -> None:
        super().__init__(what, where, remedy)
        self.allowed = allowed
        self.args = (what, where, remedy, allowed)


class Conflict(TwintownError):
    """The thing changed meanwhile."""


class PreconditionFailed(Conflict):
    """The state that the caller means to change is not the present one."""


class WrongState(Conflict):
    """What is going on between two cities does not allow this step now, or not to this side."""


class Busy(Conflict):
    """Somebody else holds it now."""


class TooLarge(TwintownError):
    """More than is taken here."""


class TooMany(TwintownError):
    """More at once than one caller may have waiting; later there is room again."""


class Unreachable(TwintownError):
    """Another city's server does not answer, or not as it should."""


class StorageFailed(TwintownError):
    """Bytes could not be kept or fetched."""


class StorageFull(StorageFailed):
    """There is no more space for bytes."""


class PluginFailed(TwintownError):
    """A source or process from outside the house broke."""
