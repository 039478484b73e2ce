"""Certificates of lots: issued from what the layer says, many in one transaction; each with its entry in the ledger.

What is signed is made before the transaction begins, so that nobody waits for ten thousand signatures; where somebody else issued
certificates meanwhile, all is made anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from twintown.ground.errors import BadInput, Busy, Conflict, NotFound, TooLarge
from twintown.programme import certificate_places as places
from twintown.programme import certificate_rows as rows
from twintown.programme.certificate import Certifying, Lot, Maker, Words, content, ends, known
from twintown.programme.certificate_check import KIND
from twintown.programme.certificate_rows import Kept
from twintown.store.engine import reading, writing
from twintown.trust import credential, status_list
from twintown.trust.did import method_of
from twintown.trust.keys import Key, signing_key
from twintown.trust.ledger import insert_in, prepared
from twintown.trust.policy import Grant
from twintown.twin.layers import Twin

LOTS, PRODUCERS = "lots", "producers"
#: Most lots of one question.
MOST = 20_000
_TRIES = 4


@dataclass(frozen=True)
class Issued:
    """What issuing came to: the certificates, and of each lot that got none the reason."""

    made: tuple[Kept, ...]
    refused: tuple[tuple[str, str], ...]


def certifying(twin: Twin, did: str, address: str) -> Certifying:
    """A twin as who certifies. `did`: the name it signs under; `address`: of the twin to the world."""
    about = twin.description
    name = about.certifier or about.names
    country = about.cloud.places[0].country if about.cloud.places else ""
    said = " / ".join(dict.fromkeys((name.ko, name.en)))
    return Certifying(did, said, address, ZoneInfo(about.time_zone), country)


def issue(
    twin: Twin, by: Certifying, grant: Grant, lots: Sequence[str] | None, author: Mapping[str, Any], now: datetime,
    until: datetime | None = None,
) -> Issued:  # fmt: skip
    """Issue certificates of lots.

    Args:
        twin: opened for writing.
        grant: by which the lots are read.
        lots: ids; None: all that the layer has.
        until: when they end, where they shall end before the lots do.

    Raises:
        NotFound: there is no layer of lots. TooLarge: more than `MOST`. Busy: others issue all the time.
        Unauthenticated, Denied: the Grant does not cover the layer. StorageFailed.
    """
    now = now.astimezone(UTC).replace(microsecond=0)
    makers, words = _makers(twin, grant, by), _Words()
    key, before = signing_key(twin.directory), ""
    for _ in range(_TRIES):
        if (mark := twin.view(LOTS, grant).token) != before:
            found, refused = _read(twin, grant, lots)
            before = mark
        with reading(twin.tables.engine) as connection:
            seen = rows.issued_in(connection, twin.tables)
            held = rows.standing_in(connection, twin.tables, found, now)
            bags = rows.bags_in(connection, twin.tables, {(lot.gtin, lot.batch) for lot in found.values()})
            free, double = [], []
            for lot in found.values():
                whose = bags.setdefault((lot.gtin, lot.batch), lot.id)
                if whose != lot.id:  # a bag would lead to the one or to the other
                    double.append(
                        (
                            lot.id,
                            f"bags of lot {whose} bear the same GTIN and batch {lot.batch}: give it its own",
                        )
                    )
                elif lot.id not in held:
                    free.append(lot)
            drawn = places.draw_in(connection, twin.tables, len(free))
        made, over = [], []
        for lot, place in zip(free, drawn, strict=True):
            end = min(ends(lot, by.zone), until) if until else ends(lot, by.zone)
            if end <= now:
                over.append((lot.id, "its last day is over"))
                continue
            made.append(
                _signed(
                    key,
                    lot,
                    makers.get(lot.producer, _maker(by, lot)),
                    by,
                    words.of(lot),
                    place,
                    author,
                    now,
                    end,
                )
            )
        with suppress(Conflict):
            kept = _keep(twin, grant, made, seen, mark, now) if made else ()
            why = [
                (lot, f"certificate {id} stands for it: revoke that one first") for lot, id in held.items()
            ]
            return Issued(kept, (*refused, *over, *double, *why))
    raise Busy("others issue certificates at this moment", "certificates", "try again")


def signed_list(twin: Twin, by: Certifying, id: str, now: datetime) -> str:
    """A status list, signed now or within the last minutes, by the present key. Raises NotFound."""
    with reading(twin.tables.engine) as connection:
        one = rows.list_in(connection, twin.tables, id)
    stamp = now.timestamp() // status_list.FRESH.total_seconds() * status_list.FRESH.total_seconds()
    at = max(one.updated, datetime.fromtimestamp(stamp, UTC))
    said = status_list.content(list_url(by, id), one.bits, by.issuer, min(at, now))
    key = signing_key(twin.directory)
    return credential.secured(said, key, method_of(by.did, key.public))


def list_url(by: Certifying, id: str) -> str:
    """Where a status list is had."""
    return f"{by.address}/status-lists/{id}"


def _signed(
    key: Key, lot: Lot, maker: Maker, by: Certifying, words: Words, place: places.Place, author: Mapping[str, Any], now: datetime,
    until: datetime,
) -> Kept:  # fmt: skip
    id = rows.new_id()
    said = content(id, lot, maker, by, words, status_list.entry(list_url(by, place[0]), place[1]), now, until)
    jwt = credential.secured(said, key, method_of(by.did, key.public))
    return Kept(
        id,
        lot.id,
        lot.batch,
        lot.gtin,
        credential.digest(jwt),
        jwt,
        place[0],
        place[1],
        now,
        until,
        None,
        "",
        -1,
        author,
    )


def _keep(
    twin: Twin, grant: Grant, made: Sequence[Kept], seen: int, mark: str, now: datetime
) -> tuple[Kept, ...]:
    """Write them with their entries. Raises Conflict: others were issued since there were `seen`, or a lot was written since `mark`."""
    entries = [
        prepared(KIND, {"certificate": one.id, "lot": one.lot, "gtin": one.gtin, "batch": one.batch, "digest": one.digest}, now)
        for one in made
    ]  # fmt: skip
    with writing(twin.tables.engine, fresh=True) as connection:
        if rows.issued_in(connection, twin.tables) != seen:
            raise Conflict("others were issued meanwhile", "certificates")
        if (
            twin.view(LOTS, grant).token != mark
        ):  # nobody else writes meanwhile: what fails or is recalled from now on finds these
            raise Conflict("lots were written meanwhile", "certificates")
        for id, count in Counter(one.list for one in made).items():
            rows.grow_in(connection, twin.tables, id, count, now)
        entered = insert_in(connection, twin.tables, entries)
        kept = tuple(replace(one, ledger=seq) for one, seq in zip(made, entered, strict=True))
        rows.add_in(connection, twin.tables, kept)
    twin.watch.touch()
    return kept


def _read(
    twin: Twin, grant: Grant, lots: Sequence[str] | None
) -> tuple[dict[str, Lot], list[tuple[str, str]]]:
    """The lots that can be certified, and why the others cannot."""
    view = twin.view(LOTS, grant)
    refused: list[tuple[str, str]] = []
    if lots is None:
        positions = view.positions()
    else:
        at = []
        for id in dict.fromkeys(lots):
            try:
                at.append(view.position(id))
            except NotFound:
                refused.append((id, "there is no such lot"))
        positions = _positions(at)
    if len(positions) > MOST:
        raise TooLarge(f"more than {MOST:,} lots at once", LOTS, "name fewer of them")
    found: dict[str, Lot] = {}
    for text in view.encoded(positions):
        feature = orjson.loads(text)
        id, drawn = str(feature["id"]), feature.get("geometry")
        try:
            place = (
                (drawn["coordinates"][0], drawn["coordinates"][1])
                if drawn and drawn["type"] == "Point"
                else None
            )
            found[id] = Lot.of(id, feature["properties"], place)
        except BadInput as error:
            refused.append((id, str(error)))
    return found, refused


def _positions(at: Sequence[int]) -> Any:
    """Positions of a view."""
    import numpy as np

    return np.array(at, dtype=np.int64)


def _makers(twin: Twin, grant: Grant, by: Certifying) -> dict[str, Maker]:
    """The producers by id; none where there is no such layer."""
    try:
        view = twin.view(PRODUCERS, grant)
    except NotFound:
        return {}
    found = {}
    for text in view.encoded(view.positions()):
        feature = orjson.loads(text)
        said = {name: str(value or "") for name, value in feature["properties"].items()}
        names = (said.get("name_ko", ""), said.get("name_en", ""))
        towns = (said.get("town_ko", ""), said.get("town_en", ""))
        id = str(feature["id"])
        found[id] = Maker(
            f"{by.address}/collections/{PRODUCERS}/items/{id}", names, towns, known(said.get("source", ""))
        )
    return found


def _maker(by: Certifying, lot: Lot) -> Maker:
    return Maker(f"{by.address}/collections/{PRODUCERS}/items/{lot.producer}", (lot.producer, lot.producer))


class _Words:
    """What products and allergens are called, as the programme knows them."""

    def __init__(self) -> None:
        from twintown.programme import product

        self._products = {code: one.name.to_dict() for code, one in product.products().items()}
        self._allergens = {str(number): name.to_dict() for number, name in product.allergens().items()}

    def of(self, lot: Lot) -> Words:
        """Those of a lot."""
        return Words(
            self._products.get(lot.product, {}),
            {one: self._allergens[one] for one in lot.allergens if one in self._allergens},
        )
