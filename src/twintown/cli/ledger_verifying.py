"""What `twintown ledger verify` asks of files and addresses before it looks: whose keys are believed, and what others have kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from twintown.ground.errors import BadData, BadSettings, NotFound, StorageFailed
from twintown.store.engine import reading
from twintown.trust.checkpoints import Checkpoint, log_keys, witness_keys
from twintown.trust.ledger_check import Copy, Report, check
from twintown.trust.ledger_claims import check_record, check_rows
from twintown.trust.ledger_proof import Opened, prove
from twintown.trust.ledger_source import Address, Folder, Source
from twintown.trust.ledger_tree import Ledger
from twintown.trust.notes import Note, Verifier

from .opened import open_twin

if TYPE_CHECKING:
    import ssl

    from twintown.twin.layers import Twin


@dataclass(frozen=True)
class Asked:
    """The options of the command."""

    source: str = ""
    against: Sequence[str] = ()
    record: Path | None = None
    keys: Sequence[str] = ()
    twin: Path | None = None
    remember: Path | None = None
    cosigned: int = 0


def verify(asked: Asked) -> Report:
    """Look at a ledger, at an opened entry, or at both.

    Raises:
        BadSettings, BadData, NotFound, StorageFailed: something cannot be read.
    """
    record = _record(asked.record) if asked.record else None
    if not asked.source:
        if record is None:
            raise BadSettings("is missing", "DIR|URL", "name a twin's directory or address, or a --record")
        keys, _ = _believed(asked, record.origin, None)
        if not keys:
            raise BadSettings(
                "is missing",
                "--key",
                "give the city's key, or --as the twin that has pinned it; a file proves nothing by itself",
            )
        report = Report(str(asked.record))
        check_record(report, record, keys)
        return report
    source = _source(asked.source)
    first = source.checkpoint()
    origin = Checkpoint.parse(first.text, source.where).origin
    keys, how = _believed(asked, origin, source)
    copies = [_copy(one, origin) for one in asked.against]
    if asked.remember and asked.remember.exists():
        copies.append(Copy(str(asked.remember), [_note(asked.remember)]))
    if record is not None:
        copies.append(Copy("the opened entry", [record.note]))
    report = check(source, keys, _witnesses(asked, first), copies)
    if isinstance(source, Folder) and report.checkpoint is not None:
        _database(report, source, report.checkpoint.size)
    if how and keys:
        report.good.insert(0, how)
    if record is not None:
        if record.origin != origin:
            report.bad("record", f"the record is of another ledger ({record.origin})")
        check_record(report, record, keys)
    cosigned = sum(line.startswith("cosigned by") for line in report.good)
    if cosigned < asked.cosigned:
        report.bad(
            "cosigned",
            f"{cosigned} known peers have cosigned the checkpoint, and {asked.cosigned} were asked for",
        )
    if asked.remember and report.holds:
        asked.remember.write_text(source.checkpoint().encode(), encoding="utf-8")
    return report


def _database(report: Report, source: Folder, size: int) -> None:
    """Hold the twin's database against its tree, where the folder is a twin's."""
    from twintown.settings import read_settings
    from twintown.trust.ledger import Entry, entries_in

    directory = source.directory.parent
    kept = read_settings().database_url or (directory / "state.db").exists()
    if not kept or not (directory / "twintown.toml").exists():
        return
    tables = open_twin(directory).tables

    def rows() -> Iterator[Entry]:
        start, step = 0, 1024
        while True:
            with reading(tables.engine) as connection:
                found = entries_in(connection, tables, start, start + step)
            yield from found
            start += step
            if len(found) < step:
                return

    check_rows(report, rows(), source, size)


def opened(twin: Twin, entry: int) -> Opened:
    """An entry of a twin, opened. Raises NotFound, BadData."""
    from twintown.trust.identity import LOCAL_OWNER
    from twintown.trust.ledger_reading import entry as read
    from twintown.trust.policy import Resource, decide

    grant = decide(LOCAL_OWNER, "govern", Resource(twin.description.id))
    return Opened.of(prove(reading_ledger(twin), entry), read(twin.tables, grant, entry))


def reading_ledger(twin: Twin) -> Ledger:
    """The ledger of a twin under the name of its last checkpoint; it signs nothing.

    Raises:
        NotFound: nothing was signed yet.
    """
    from twintown.trust.ledger_rows import origins

    with reading(twin.tables.engine) as connection:
        names = origins(connection, twin.tables)
    try:
        origin = Checkpoint.parse(Note.parse(twin.blobs.get("ledger/checkpoint")).text).origin
    except NotFound:
        origin = next((one for one in names if one.endswith(f"/twins/{twin.tables.twin}/ledger")), "")
    if origin not in names:
        raise NotFound(
            "nothing was signed yet", str(twin.directory), "start the server once: its keeper signs"
        )
    return Ledger(twin.tables, twin.blobs, origin, _no_key)


def _no_key() -> NoReturn:
    raise AssertionError("a proof signs nothing")


def _source(said: str) -> Source:
    if "://" in said:
        return Address(said, _trusting())
    return Folder(Path(said))


def _trusting() -> ssl.SSLContext | bool:
    from twintown.jobs.outgoing import trusting
    from twintown.settings import read_settings

    return trusting(str(read_settings().ca or ""))


def _record(path: Path) -> Opened:
    try:
        return Opened.parse(json.loads(path.read_text(encoding="utf-8")), str(path))
    except OSError as error:
        raise NotFound(f"cannot be read ({error.strerror})", str(path)) from error
    except ValueError as error:
        raise BadData("is no JSON", str(path), "make it with `twintown ledger open`") from error


def _note(path: Path) -> Note:
    try:
        return Note.parse(path.read_bytes(), str(path))
    except OSError as error:
        raise NotFound(f"cannot be read ({error.strerror})", str(path)) from error


def _believed(asked: Asked, origin: str, source: Source | None) -> tuple[list[Verifier], str]:
    """The keys of the log that are believed, and how they are known where that has to be said."""
    from twintown.trust.ledger_known import good_keys, pinned

    if asked.keys:
        found = _followed(asked.keys, source) if isinstance(source, Address) else list(asked.keys)
        return log_keys(origin, found), ""
    if asked.twin is not None:
        twin = open_twin(asked.twin)
        peer = pinned(twin).get(origin)
        if peer is not None:
            return log_keys(
                origin, good_keys(twin, peer)
            ), f"its key is one that {twin.description.id} has pinned for {peer.id}"
    if isinstance(source, Address):
        found = _offered(source)
        return log_keys(
            origin, found
        ), "its key is the one that the server itself shows: give --key or --as to believe nobody"
    if isinstance(source, Folder):
        return log_keys(origin, _own(source.directory.parent)), ""
    return [], ""


def _own(directory: Path) -> list[str]:
    """The keys of the twin in a directory, as it has them itself; none where it is no twin."""
    from twintown.trust.keyring import own_keys
    from twintown.trust.keys import KEY_FILE

    if not (directory / KEY_FILE).exists():
        return []
    return [one.public for one in own_keys(open_twin(directory)) if one.revoked is None]


def _offered(source: Address) -> list[str]:
    methods = source.identity().get("verificationMethod")
    found = [one for one in methods if isinstance(one, dict)] if isinstance(methods, list) else []
    return [
        str(one["publicKeyMultibase"])
        for one in found
        if one.get("publicKeyMultibase") and not one.get("revoked")
    ]


def _followed(keys: Sequence[str], source: Address) -> list[str]:
    """The keys that were given, and those that they handed over to, by the statements in the city's DID document."""
    from twintown.trust.succession import read

    found = list(keys)
    try:
        statements = source.identity().get("succession")
    except (NotFound, StorageFailed):
        return found
    for one in statements if isinstance(statements, list) else []:
        said = read(one)
        if said.previous in found and said.next not in found:
            found.append(said.next)
    return found


def _witnesses(asked: Asked, note: Note) -> list[Verifier]:
    """The keys of the peers that the twin knows: the one that is looked at, or the one that looks."""
    from twintown.trust.ledger_known import good_keys, pinned

    here = asked.twin or (Path(asked.source) if "://" not in asked.source else None)
    if here is None or not (here / "twintown.toml").exists():
        return []
    twin = open_twin(here)
    found = [key for name, peer in pinned(twin).items() for key in witness_keys(name, good_keys(twin, peer))]
    if asked.twin is not None:  # who looks may itself have cosigned, under whatever address it had then
        found += [key for one in note.signatures for key in witness_keys(one.name, _own(asked.twin))]
    return found


def _copy(said: str, origin: str) -> Copy:
    """What somebody has kept: the same log at another place, a peer's copy of its checkpoints, or a checkpoint in a file."""
    if "://" not in said and Path(said).is_file():
        return Copy(said, [_note(Path(said))])
    source = _source(said)
    try:
        note = source.checkpoint()
        if Checkpoint.parse(note.text, source.where).origin == origin:
            return Copy(said, [note], source)
    except NotFound:
        pass  # a peer whose own ledger is empty
    if isinstance(source, Address):
        return Copy(said, source.seen(origin))
    from twintown.trust.ledger_rows import seen

    twin = open_twin(Path(said))
    with reading(twin.tables.engine) as connection:
        return Copy(said, seen(connection, twin.tables, origin))
