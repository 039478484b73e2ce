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


def own(name: str, *columns: Column[Any], key: tuple[str, ...]) -> Table:
    """A table each row of which belongs to a twin, with `key` beside the twin's id as its primary key."""
    return Table(
        name,
        metadata,
        Column("twin", String(64), nullable=False),
        *columns,
        PrimaryKeyConstraint("twin", *key),
    )


def text(name: str, length: int = 0) -> Column[Any]:
    """A text column that is never null; without a length it is unbounded."""
    return Column(name, String(length) if length else Text, nullable=False)


def moment(name: str) -> Column[Any]:
    """A moment that may be unknown."""
    return Column(name, DateTime(timezone=True))


def at(name: str) -> Column[Any]:
    """A moment."""
    return Column(name, DateTime(timezone=True), nullable=False)


def json(name: str, *, nullable: bool = False) -> Column[Any]:
    """JSON; never null unless said."""
    return Column(name, JSON, nullable=nullable)


def count(name: str) -> Column[Any]:
    """A whole number."""
    return Column(name, Integer, nullable=False)


def bytes_(name: str) -> Column[Any]:
    """Bytes."""
    return Column(name, LargeBinary, nullable=False)


# Who may sign in here: a password's Argon2 digest, or the issuer and subject of an OpenID provider; roles are names.
accounts = own(
    "accounts", text("name", 80), json("roles"), text("password"), text("totp"), count("totp_last"),
    text("issuer"), text("subject"), at("created"), moment("disabled"), key=("name",),
)  # fmt: skip
# Who is signed in: the digest of the cookie's secret.
sessions = own(
    "sessions", text("digest", 64), text("account", 80), text("csrf", 64), at("created"),
    at("expires"), key=("digest",),
)  # fmt: skip
# How often somebody has failed to sign in: by digest of a name, or of an address.
tries = own("tries", text("mark", 64), count("failed"), at("last"), key=("mark",))
# Tokens: of services (kind "service", with scopes), and of partners (kind "agreement", bound to one).
tokens = own(
    "tokens", text("digest", 64), text("id", 48), text("kind", 12), text("name", 200), json("scopes"), text("agreement", 80),
    json("author"), at("created"), at("expires"), moment("revoked"), key=("digest",),
)  # fmt: skip
# The keys that this twin has signed with, newest last; `endorsed`: the proof of the key before it.
signing_keys = own(
    "signing_keys", text("public", 80), count("seq"), at("since"), moment("retired"),
    moment("revoked"), text("why"), json("endorsed", nullable=True), key=("public",),
)  # fmt: skip
# What a peer was last seen to be; who is a peer the description says.
peers = own(
    "peers", text("did", 512), text("address"), json("keys"), text("state", 12), moment("seen"), json("said"), key=("did",)
)  # fmt: skip
# Marks of messages that were taken already, until their tokens have expired (RFC 7519 `jti`).
seen = own("seen", text("jti", 200), at("until"), key=("jti",))

# What this twin offers, to whom ("" for every peer), under which terms, by which release.
offers = own(
    "offers", text("id", 80), text("dataset", 200), text("assignee", 512), json("terms"), json("policy"), text("release"),
    text("state", 12), json("author"), at("created"), at("updated"), key=("id",),
)  # fmt: skip
# Contract negotiations (Dataspace Protocol 2025-1), of both roles; `pid` is ours, `peer_pid` theirs.
negotiations = own(
    "negotiations", text("pid", 80), text("role", 8), text("peer_pid", 80), text("peer", 512), text("callback"), text("state", 12),
    text("dataset", 200), json("offer"), json("agreement", nullable=True), text("turn", 8), json("error", nullable=True),
    count("revision"), at("created"), at("updated"), key=("pid",),
)  # fmt: skip
# Every message of a negotiation or a transfer, in order, as it came or went; the same `mark` is the same message again.
messages = own(
    "messages", text("of", 80), count("seq"), text("way", 3), text("type", 48), json("body"), json("author"),
    text("mark", 80), text("state", 12), at("at"), key=("of", "seq"),
)  # fmt: skip
# Messages to be delivered; each has gone when `delivered` is set, and is not tried any more when `given_up` is.
outbox = own(
    "outbox", text("id", 48), text("of", 80), count("seq"), text("peer", 512), text("url"), json("body"),
    count("attempts"), moment("next_at"), text("said"), moment("delivered"), moment("given_up"),
    at("created"), key=("id",),
)  # fmt: skip
Index("ix_outbox_due", outbox.c.twin, outbox.c.delivered, outbox.c.next_at)
# Agreements in force and past; `policy` is the ODRL that both signed, `terms` what it means here.
agreements = own(
    "agreements", text("id", 80), text("role", 8), text("peer", 512), text("negotiation", 80), text("dataset", 200), json("terms"),
    json("policy"), json("signatures"), text("state", 12), at("since"), moment("until"), at("changed"),
    json("change", nullable=True), count("revision"), key=("id",),
)  # fmt: skip
# Transfer processes (Dataspace Protocol 2025-1), of both roles; the data address of a consumer holds a token, and is secret.
transfers = own(
    "transfers", text("pid", 80), text("role", 8), text("peer_pid", 80), text("peer", 512), text("callback"), text("agreement", 80),
    text("format", 80), text("state", 12), json("address", nullable=True), json("error", nullable=True),
    count("revision"), at("created"), at("updated"), key=("pid",),
)  # fmt: skip
# Questions to the release gate, what it found, what would remedy it, and what a person decided.
releases = own(
    "releases", text("id", 48), text("asset", 200), text("version", 64), text("audience", 512), json("terms"), json("findings"),
    json("remedies"), text("state", 12), json("decision", nullable=True), text("result", 200), json("author"),
    at("created"), at("updated"), key=("id",),
)  # fmt: skip
# Joint programmes with partners, each as a series of statements; nothing is overwritten.
workplans = own(
    "workplans", text("id", 48), count("seq"), text("agreement", 80), json("body"), json("author"),
    at("at"), key=("id", "seq"),
)  # fmt: skip
# Joint programmes that a partner holds too; `began` is the DID of the city that proposed it first. The row is what a writer locks.
programmes = own(
    "programmes", text("id", 48), text("peer", 512), text("began", 512), text("agreement", 80), text("state", 12),
    json("error", nullable=True), count("revision"), at("created"), at("updated"), key=("id",),
)  # fmt: skip
# Their moves in order, each as the message that came or went; `void` says why one does not count, and is empty where it does.
programme_moves = own(
    "programme_moves", text("id", 48), text("mark", 80), count("seq"), text("event", 12), text("way", 3), json("body"),
    text("digest", 64), text("document", 64), json("author"), text("void"), count("ledger"), moment("heard"), at("at"),
    key=("id", "mark"),
)  # fmt: skip
Index("ix_programme_moves_seq", programme_moves.c.twin, programme_moves.c.id, programme_moves.c.seq)
# Playbooks that are installed here.
playbooks = own(
    "playbooks", text("id", 80), text("version", 40), text("digest", 80), text("path"), json("about"),
    text("origin", 512), json("author"),
    at("installed"), key=("id",),
)  # fmt: skip
# The ledger's entries as they were accepted, in their order; `leaf` is what the tree holds, `record` and `salt` what it is a digest of.
ledger_entries = own(
    "ledger_entries", count("seq"), text("kind", 24), bytes_("leaf"), text("digest", 64),
    bytes_("salt"), json("record"), at("at"), key=("seq",),
)  # fmt: skip
Index("ix_ledger_entries_digest", ledger_entries.c.twin, ledger_entries.c.digest)
# Checkpoints: our own, cosigned (`origin` ours), and the last ones that we have seen and cosigned of peers.
checkpoints = own(
    "checkpoints", text("origin", 300), count("size"), text("root", 64), text("note"), at("at"),
    key=("origin", "size"),
)  # fmt: skip
# One caller's repeated refusals within an hour, as a count.
refusals = own(
    "refusals", text("hour", 20), text("caller", 200), text("action", 16), text("resource", 200), text("reason"), count("count"),
    at("first"), at("last"), key=("hour", "caller", "action", "resource", "reason"),
)  # fmt: skip
