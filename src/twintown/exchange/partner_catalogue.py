"""A partner's catalogue, asked for now and read: its datasets with the offers that are for us, in our words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from twintown.exchange import agreement, delivery, schemas
from twintown.exchange.courier import Courier
from twintown.exchange.messages import message
from twintown.exchange.party import Party
from twintown.ground.errors import BadData, BadInput, NotFound, StorageFailed
from twintown.trust.peers import Peer
from twintown.trust.terms import Terms


@dataclass(frozen=True)
class Dataset:
    """One dataset of a partner.

    Attributes:
        offers: terms by the `@id` of the offer.
        foreign: offers whose terms are not of our profile, by `@id`, and why they are not read.
    """

    id: str
    title: Mapping[str, str]
    description: Mapping[str, str]
    offers: Mapping[str, Terms]
    foreign: Mapping[str, str]


def catalogue(party: Party, courier: Courier, peer: Peer) -> tuple[Dataset, ...]:
    """What a partner offers us now.

    Raises:
        StorageFailed: it does not answer, or refuses to. BadData: what it answers is no catalogue.
    """
    body = orjson.dumps(message("CatalogRequestMessage"))
    answer = delivery.ask(party, courier, peer.did, "POST", "/catalog/request", body)
    if not answer.good:
        raise StorageFailed(
            f"{peer.id} did not show its catalogue ({answer.status})", peer.id, "ask its officers whether they know us"
        )  # fmt: skip
    found = schemas.read(answer.body, "Catalog")
    listed = found.get("dataset", [])
    return tuple(_dataset(one) for one in (listed if isinstance(listed, list) else [listed]))


def offer(party: Party, courier: Courier, peer: Peer, dataset: str, id: str) -> Terms:
    """The terms of one offer of a partner. Raises NotFound, BadData (not of our profile), and like `catalogue`."""
    for one in catalogue(party, courier, peer):
        if one.id != dataset:
            continue
        if id in one.offers:
            return one.offers[id]
        if id in one.foreign:
            raise BadData(
                one.foreign[id], id, "ask the partner for an offer in the profile urn:twintown:odrl:1"
            )
    raise NotFound(f"{peer.id} offers us no {id[:100]!r} of {dataset[:100]!r}", peer.id, "look at its catalogue again")  # fmt: skip


def _dataset(said: Mapping[str, Any]) -> Dataset:
    offers: dict[str, Terms] = {}
    foreign: dict[str, str] = {}
    listed = said.get("hasPolicy", [])
    for policy in listed if isinstance(listed, list) else [listed]:
        id = str(policy.get("@id", ""))
        try:
            offers[id] = agreement.read(policy, "offer").terms
        except BadInput as error:
            foreign[id] = f"{error.where}: {error.what}"
    return Dataset(str(said.get("@id", "")), _texts(said, "title"), _texts(said, "description"), offers, foreign)  # fmt: skip


def _texts(said: Mapping[str, Any], name: str) -> dict[str, str]:
    """A text of a dataset by language, whichever way JSON-LD wrote it."""
    value = next((said[key] for key in (name, f"dct:{name}", f"dcterms:{name}") if key in said), None)
    found: dict[str, str] = {}
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str):
            found.setdefault("en", one[:500])
        elif isinstance(one, Mapping):
            found[str(one.get("@language", "en"))[:8]] = str(one.get("@value", ""))[:500]
    return found
