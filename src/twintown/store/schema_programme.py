"""Tables of what two cities do together at a place and a time: events, certificates of lots, notices. The same metadata as `schema`."""

from __future__ import annotations

from sqlalchemy import Index

from twintown.store.schema_shared import at, bytes_, count, json, moment, own, text
from twintown.store.schema_shared import metadata as metadata

# Events, each as a series of revisions; nothing is overwritten. `joint`: the document that a partner holds too, "" where none does.
events = own(
    "events", text("id", 48), count("revision"), text("state", 12), text("joint", 48), at("starts"), at("ends"), json("body"),
    json("author"), at("at"), key=("id", "revision"),
)  # fmt: skip
# Certificates of lots: the credential as it was signed (`jwt`), its place in a status list, and since when and why it does not hold.
certificates = own(
    "certificates", text("id", 80), text("lot", 120), text("batch", 40), text("gtin", 14), text("digest", 64), text("jwt"),
    text("list", 48), count("position"), at("issued"), at("until"), moment("revoked"), text("why"), count("ledger"), json("author"),
    key=("id",),
)  # fmt: skip
Index("ix_certificates_lot", certificates.c.twin, certificates.c.lot)
Index("ix_certificates_batch", certificates.c.twin, certificates.c.gtin, certificates.c.batch)
# Bitstring status lists (W3C): the bits, how many are given away, and the list as it was signed last.
status_lists = own(
    "status_lists", text("id", 48), text("purpose", 16), bytes_("bits"), count("used"), text("jwt"), at("updated"), key=("id",)
)  # fmt: skip
# What one city tells another at once (a recall): signed, in order, each once. `heard`: when the other had it, of ours.
notices = own(
    "notices", text("id", 80), text("way", 3), text("kind", 24), text("peer", 512), text("about", 200), json("body"),
    text("digest", 64), json("author"), count("ledger"), moment("heard"), moment("seen"), at("at"), key=("id", "way", "peer"),
)  # fmt: skip
