"""What a city is offered here, as a DCAT catalogue of the Dataspace Protocol: its datasets, their offers, how they are fetched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from twintown.exchange.hooks import Offered
from twintown.exchange.messages import FORMAT, message
from twintown.exchange.party import Party
from twintown.ground.errors import BadParameter, NotFound
from twintown.store.engine import reading


def catalogue(party: Party, peer: str, filters: Sequence[Any], now: datetime) -> dict[str, Any]:
    """The catalogue for a city.

    Args:
        peer: DID. filters: of the request; `{"@id": "…"}` or `{"dataset": "…"}` picks one dataset.

    Raises:
        BadParameter: a filter that is not known here; answering as if it were not there would answer another question.
    """
    wanted = _wanted(filters)
    found = [one for one in _offered(party, peer, now) if not wanted or one.dataset in wanted]
    service = _service(party)
    said = message(
        "Catalog",
        participantId=party.did,
        service=[service],
        dataset=[_dataset(one, service["@id"]) for one in found] or None,
    )
    return {**said, "@id": f"{party.dsp}/catalog"}


def dataset(party: Party, peer: str, id: str, now: datetime) -> dict[str, Any]:
    """One dataset. Raises NotFound: there is none of that id for that city."""
    for one in _offered(party, peer, now):
        if one.dataset == id:
            return {**message("Dataset"), **_dataset(one, _service(party))}
    raise NotFound(f"there is no dataset {id[:200]!r} for you", "catalog", "ask for the catalogue")


def _offered(party: Party, peer: str, now: datetime) -> Sequence[Offered]:
    with reading(party.twin.tables.engine) as connection:
        return party.hooks.offered(connection, party.twin, peer, now)


def _service(party: Party) -> dict[str, str]:
    return {"@id": f"{party.dsp}/service", "@type": "DataService", "endpointURL": party.dsp}


def _dataset(one: Offered, service: str | Mapping[str, str]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "@id": one.dataset, "@type": "Dataset", "hasPolicy": [_plain(policy) for policy in one.policies],
        "distribution": [{"@type": "Distribution", "format": FORMAT, "accessService": service}],
    }  # fmt: skip
    for name, texts in (("dct:title", one.title), ("dct:description", one.description)):
        if texts:
            said[name] = [{"@language": language, "@value": text} for language, text in texts.items()]
    return {**one.about, **said}


def _plain(policy: Mapping[str, Any]) -> dict[str, Any]:
    """An offer as a catalogue holds it: what it is about the dataset around it says."""
    return {name: value for name, value in policy.items() if name != "target"}


def _wanted(filters: Sequence[Any]) -> set[str]:
    wanted: set[str] = set()
    for number, one in enumerate(filters):
        if not isinstance(one, Mapping) or len(one) != 1:
            raise BadParameter(f"filter[{number}]", "is not understood", remedy='write {"@id": "<dataset>"}')
        name, value = next(iter(one.items()))
        if name not in ("@id", "dataset") or not isinstance(value, str):
            raise BadParameter(
                f"filter[{number}].{str(name)[:60]}",
                "is no filter that is known here",
                remedy='write {"@id": "<dataset>"}',
            )
        wanted.add(value)
    return wanted
