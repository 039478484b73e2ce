"""The SQL tables of what a twin shares: who signs in, what is offered and agreed, the ledger. The same metadata as `schema`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

from twintown.store.schema import metadata as metadata


def _own(name: str, *columns: Column[Any], key: tuple[str, ...]) -> Table:
    """A table each row of which belongs to a twin, with `key` beside the twin's id as its primary key."""
    return Table(
        name,
        metadata,
        Column("twin", String(64), nullable=False),
        *columns,
        PrimaryKeyConstraint("twin", *key),
    )


def _text(name: str, length: int = 0) -> Column[Any]:
    return Column(name, String(length) if length else Text, nullable=False)


def _moment(name: str) -> Column[Any]:
    return Column(name, DateTime(timezone=True))


def _at(name: str) -> Column[Any]:
    return Column(name, DateTime(timezone=True), nullable=False)


def _json(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, JSON, nullable=nullable)


def _count(name: str) -> Column[Any]:
    return Column(name, Integer, nullable=False)


def _bytes(name: str) -> Column[Any]:
    return Column(name, LargeBinary, nullable=False)


# Who may sign in here: a password's Argon2 digest, or the issuer and subject of an OpenID provider; roles are names.
accounts = _own(
    "accounts", _text("name", 80), _json("roles"), _text("password"), _text("totp"), _count("totp_last"),
    _text("issuer"), _text("subject"), _at("created"), _moment("disabled"), key=("name",),
)  # fmt: skip
# Who is signed in: the digest of the cookie's secret.
sessions = _own(
    "sessions", _text("digest", 64), _text("account", 80), _text("csrf", 64), _at("created"),
    _at("expires"), key=("digest",),
)  # fmt: skip
# How often somebody has failed to sign in: by digest of a name, or of an address.
tries = _own("tries", _text("mark", 64), _count("failed"), _at("last"), key=("mark",))
# Tokens: of services (kind "service", with scopes), and of partners (kind "agreement", bound to one).
tokens = _own(
    "tokens", _text("digest", 64), _text("id", 48), _text("kind", 12), _text("name", 200), _json("scopes"), _text("agreement", 80),
    _json("author"), _at("created"), _at("expires"), _moment("revoked"), key=("digest",),
)  # fmt: skip
# The keys that this twin has signed with, newest last; `endorsed`: the proof of the key before it.
signing_keys = _own(
    "signing_keys", _text("public", 80), _count("seq"), _at("since"), _moment("retired"),
    _moment("revoked"), _text("why"), _json("endorsed", nullable=True), key=("public",),
)  # fmt: skip
# What a peer was last seen to be; who is a peer the description says.
peers = _own(
    "peers", _text("did", 512), _text("address"), _json("keys"), _text("state", 12), _moment("seen"), _json("said"), key=("did",)
)  # fmt: skip
# Marks of messages that were taken already, until their tokens have expired (RFC 7519 `jti`).
seen = _own("seen", _text("jti", 200), _at("until"), key=("jti",))

# What this twin offers, to whom ("" for every peer), under which terms, by which release.
offers = _own(
    "offers", _text("id", 80), _text("dataset", 200), _text("assignee", 512), _json("terms"), _json("policy"), _text("release"),
    _text("state", 12), _json("author"), _at("created"), _at("updated"), key=("id",),
)  # fmt: skip
# Contract negotiations (Dataspace Protocol 2025-1), of both roles; `pid` is ours, `peer_pid` theirs.
negotiations = _own(
    "negotiations", _text("pid", 80), _text("role", 8), _text("peer_pid", 80), _text("peer", 512), _text("callback"), _text("state", 12),
    _text("dataset", 200), _json("offer"), _json("agreement", nullable=True), _text("turn", 8), _json("error", nullable=True),
    _count("revision"), _at("created"), _at("updated"), key=("pid",),
)  # fmt: skip
# Every message of a negotiation or a transfer, in order, as it came or went; the same `mark` is the same message again.
messages = _own(
    "messages", _text("of", 80), _count("seq"), _text("way", 3), _text("type", 48), _json("body"), _json("author"),
    _text("mark", 80), _text("state", 12), _at("at"), key=("of", "seq"),
)  # fmt: skip
# Messages to be delivered; each has gone when `delivered` is set, and is not tried any more when `given_up` is.
outbox = _own(
    "outbox", _text("id", 48), _text("of", 80), _count("seq"), _text("peer", 512), _text("url"), _json("body"),
    _count("attempts"), _moment("next_at"), _text("said"), _moment("delivered"), _moment("given_up"),
    _at("created"), key=("id",),
)  # fmt: skip
Index("ix_outbox_due", outbox.c.twin, outbox.c.delivered, outbox.c.next_at)
# Agreements in force and past; `policy` is the ODRL that both signed, `terms` what it means here.
agreements = _own(
    "agreements", _text("id", 80), _text("role", 8), _text("peer", 512), _text("negotiation", 80), _text("dataset", 200), _json("terms"),
    _json("policy"), _json("signatures"), _text("state", 12), _at("since"), _moment("until"), _at("changed"),
    _json("change", nullable=True), _count("revision"), key=("id",),
)  # fmt: skip
# Transfer processes (Dataspace Protocol 2025-1), of both roles; the data address of a consumer holds a token, and is secret.
transfers = _own(
    "transfers", _text("pid", 80), _text("role", 8), _text("peer_pid", 80), _text("peer", 512), _text("callback"), _text("agreement", 80),
    _text("format", 80), _text("state", 12), _json("address", nullable=True), _json("error", nullable=True),
    _count("revision"), _at("created"), _at("updated"), key=("pid",),
)  # fmt: skip
# Questions to the release gate, what it found, what would remedy it, and what a person decided.
releases = _own(
    "releases", _text("id", 48), _text("asset", 200), _text("version", 64), _text("audience", 512), _json("terms"), _json("findings"),
    _json("remedies"), _text("state", 12), _json("decision", nullable=True), _text("result", 200), _json("author"),
    _at("created"), _at("updated"), key=("id",),
)  # fmt: skip
# Joint programmes with partners, each as a series of statements; nothing is overwritten.
workplans = _own(
    "workplans", _text("id", 48), _count("seq"), _text("agreement", 80), _json("body"), _json("author"),
    _at("at"), key=("id", "seq"),
)  # fmt: skip
# Joint programmes that a partner holds too; `began` is the DID of the city that proposed it first. The row is what a writer locks.
programmes = _own(
    "programmes", _text("id", 48), _text("peer", 512), _text("began", 512), _text("agreement", 80), _text("state", 12),
    _json("error", nullable=True), _count("revision"), _at("created"), _at("updated"), key=("id",),
)  # fmt: skip
# Their moves in order, each as the message that came or went; `void` says why one does not count, and is empty where it does.
programme_moves = _own(
    "programme_moves", _text("id", 48), _text("mark", 80), _count("seq"), _text("event", 12), _text("way", 3), _json("body"),
    _text("digest", 64), _text("document", 64), _json("author"), _text("void"), _count("ledger"), _moment("heard"), _at("at"),
    key=("id", "mark"),
)  # fmt: skip
Index("ix_programme_moves_seq", programme_moves.c.twin, programme_moves.c.id, programme_moves.c.seq)
# Playbooks that are installed here.
playbooks = _own(
    "playbooks", _text("id", 80), _text("version", 40), _text("digest", 80), _text("path"), _json("about"),
    _text("origin", 512), _json("author"),
    _at("installed"), key=("id",),
)  # fmt: skip
# The ledger's entries as they were accepted, in their order; `leaf` is what the tree holds, `record` and `salt` what it is a digest of.
ledger_entries = _own(
    "ledger_entries", _count("seq"), _text("kind", 24), _bytes("leaf"), _text("digest", 64),
    _bytes("salt"), _json("record"), _at("at"), key=("seq",),
)  # fmt: skip
Index("ix_ledger_entries_digest", ledger_entries.c.twin, ledger_entries.c.digest)
# Checkpoints: our own, cosigned (`origin` ours), and the last ones that we have seen and cosigned of peers.
checkpoints = _own(
    "checkpoints", _text("origin", 300), _count("size"), _text("root", 64), _text("note"), _at("at"),
    key=("origin", "size"),
)  # fmt: skip
# One caller's repeated refusals within an hour, as a count.
refusals = _own(
    "refusals", _text("hour", 20), _text("caller", 200), _text("action", 16), _text("resource", 200), _text("reason"), _count("count"),
    _at("first"), _at("last"), key=("hour", "caller", "action", "resource", "reason"),
)  # fmt: skip
