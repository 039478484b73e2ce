"""Whether a message is one of the Dataspace Protocol 2025-1: size, nesting, context, and the protocol's own JSON schemas.

The schemas lie beside this file (`dsp/`, Apache-2.0, Eclipse Dataspace Protocol 2025-1-err1), are compiled once, and refer to each
other only: nothing is ever fetched, neither a schema nor a context. Three of them refer to `…transfer-schema.json#definitions/…`,
without the slash that makes it a JSON pointer (RFC 6901); that is mended as they are read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from twintown.exchange.messages import CONTEXT
from twintown.ground.errors import BadContent, TooLarge

#: Longest message, bytes, and how deep arrays and objects may lie in each other.
MOST, DEEPEST = 256 * 1024, 32
#: Contexts that are understood: the protocol's own, and the profile of ODRL that it imports.
CONTEXTS = (CONTEXT, "https://w3id.org/dspace/2025/1/odrl-profile.jsonld")
_SCHEMAS = Path(__file__).parent / "dsp"
_BASE = "https://w3id.org/dspace/2025/1"
#: Which schema each `@type` has.
_OF = {
    "CatalogRequestMessage": "catalog/catalog-request-message", "DatasetRequestMessage": "catalog/dataset-request-message",
    "Catalog": "catalog/catalog", "Dataset": "catalog/dataset", "CatalogError": "catalog/catalog-error",
    "ContractRequestMessage": "negotiation/contract-request-message",
    "ContractOfferMessage": "negotiation/contract-offer-message",
    "ContractAgreementMessage": "negotiation/contract-agreement-message",
    "ContractAgreementVerificationMessage": "negotiation/contract-agreement-verification-message",
    "ContractNegotiationEventMessage": "negotiation/contract-negotiation-event-message",
    "ContractNegotiationTerminationMessage": "negotiation/contract-negotiation-termination-message",
    "ContractNegotiation": "negotiation/contract-negotiation", "ContractNegotiationError": "negotiation/contract-negotiation-error",
    "TransferRequestMessage": "transfer/transfer-request-message", "TransferStartMessage": "transfer/transfer-start-message",
    "TransferSuspensionMessage": "transfer/transfer-suspension-message",
    "TransferCompletionMessage": "transfer/transfer-completion-message",
    "TransferTerminationMessage": "transfer/transfer-termination-message",
    "TransferProcess": "transfer/transfer-process", "TransferError": "transfer/transfer-error",
    "": "common/protocol-version",
}  # fmt: skip


def read(raw: bytes, *types: str) -> dict[str, Any]:
    """A message that came, checked.

    Args:
        raw: the body as it came.
        types: which `@type` may come here.

    Raises:
        TooLarge: it has more than `MOST` bytes.
        BadContent: it is no JSON object, lies too deep, says a name twice, brings a context that is not known here, is of another type,
            or does not fit its schema; `findings` name the places.
    """
    message = parse(raw)
    check(message, *types)
    return message


def parse(raw: bytes, most: int = MOST) -> dict[str, Any]:
    """A JSON object that came, bounded in size (`most`, bytes) and nesting. Raises like `read`."""
    if len(raw) > most:
        raise TooLarge(f"a message of more than {most:,} bytes", "body", "say less")
    _shallow(raw)
    try:
        message = json.loads(raw.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
        json.dumps(message, ensure_ascii=False).encode()  # halves of characters are none
    except (ValueError, RecursionError) as error:
        raise _bad("", f"this is no JSON ({str(error)[:100]})") from error
    if b"\\u0000" in raw:
        raise _bad("", "a text holds the character U+0000")
    if not isinstance(message, dict):
        raise _bad("", "a message is a JSON object")
    return message


def check(message: Mapping[str, Any], *types: str) -> None:
    """Whether a message is what it says. Raises BadContent like `read`."""
    type_ = message.get("@type", "")
    if not isinstance(type_, str) or type_ not in types:
        raise _bad("/@type", f"{str(type_)[:80]!r} is not taken here; {' or '.join(types)} is")
    context = message.get("@context")
    if type_ and (not isinstance(context, list) or any(one not in CONTEXTS for one in context)):
        raise _bad("/@context", f'only ["{CONTEXT}"] is understood here, and nothing is fetched')
    found = [
        ("".join(f"/{part}" for part in error.instance_path), 0, _short(error.message))
        for error, _ in zip(_validator(type_).iter_errors(dict(message)), range(10), strict=False)
    ]
    if found:
        where, _, what = found[0]
        raise BadContent(what, where or type_, "see the schemas of Dataspace Protocol 2025-1", tuple(found))


@lru_cache(1)
def _registry() -> Any:
    import jsonschema_rs

    found = {}
    for path in sorted(_SCHEMAS.glob("*/*-schema.json")):
        text = path.read_text(encoding="utf-8").replace(".json#definitions/", ".json#/definitions/")
        schema = json.loads(text)
        found[schema["$id"]] = schema
    return jsonschema_rs.Registry(list(found.items()), draft=jsonschema_rs.Draft201909)


@lru_cache(64)
def _validator(type_: str) -> Any:
    import jsonschema_rs

    uri = f"{_BASE}/{_OF[type_]}-schema.json"
    return jsonschema_rs.Draft201909Validator({"$ref": uri}, registry=_registry(), retriever=_never)


def _never(uri: str) -> Any:
    raise ValueError(f"{uri} is not fetched")


def load() -> None:
    """Compile everything, so that the first message need not wait."""
    for type_ in _OF:
        _validator(type_)


def _shallow(raw: bytes) -> None:
    """Raise BadContent where brackets lie deeper than `DEEPEST`, before anything is built from them."""
    depth, quoted, escaped = 0, False, False
    for sign in raw:
        if quoted:
            if escaped:
                escaped = False
            elif sign == 0x5C:  # backslash
                escaped = True
            elif sign == 0x22:
                quoted = False
        elif sign == 0x22:
            quoted = True
        elif sign in b"[{":
            depth += 1
            if depth > DEEPEST:
                raise _bad("", f"arrays and objects lie more than {DEEPEST} deep in each other")
        elif sign in b"]}":
            depth -= 1


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name twice in one object")
    return made


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:90]} … {text[-90:]}"


def _bad(pointer: str, what: str) -> BadContent:
    return BadContent(
        what, pointer or "body", "see the schemas of Dataspace Protocol 2025-1", ((pointer, 0, what),)
    )
