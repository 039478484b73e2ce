"""The messages of the Dataspace Protocol 2025-1 as they are written here: compact JSON-LD with its one fixed context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twintown.exchange.negotiation import Negotiation
from twintown.exchange.transfer_process import Transfer

CONTEXT = "https://w3id.org/dspace/2025/1/context.jsonld"
VERSION, BINDING = "2025-1", "HTTPS"
#: How data goes here: the consumer reads it from ordinary APIs with a token.
FORMAT = "HttpData-PULL"
#: `@type` of the errors of each end point.
CATALOG_ERROR, NEGOTIATION_ERROR, TRANSFER_ERROR = (
    "CatalogError",
    "ContractNegotiationError",
    "TransferError",
)


def message(type_: str, **members: Any) -> dict[str, Any]:
    """A message; members that are None are left out."""
    said = {name: value for name, value in members.items() if value is not None}
    return {"@context": [CONTEXT], "@type": type_, **said}


def pids(process: Negotiation | Transfer) -> dict[str, str]:
    """Both names of a negotiation or a transfer; the other side's is "" while it is not known."""
    return {"providerPid": process.provider_pid, "consumerPid": process.consumer_pid}


def contract_request(
    negotiation: Negotiation, offer: Mapping[str, Any], callback: str = ""
) -> dict[str, Any]:
    """What the consumer asks for: the first time with the address that answers go to, afterwards with the provider's pid."""
    if negotiation.state:
        return message("ContractRequestMessage", **pids(negotiation), offer=dict(offer))
    return message(
        "ContractRequestMessage", consumerPid=negotiation.pid, offer=dict(offer), callbackAddress=callback
    )


def contract_offer(negotiation: Negotiation, offer: Mapping[str, Any], callback: str = "") -> dict[str, Any]:
    """What the provider offers."""
    if negotiation.state:
        return message("ContractOfferMessage", **pids(negotiation), offer=dict(offer))
    return message(
        "ContractOfferMessage", providerPid=negotiation.pid, offer=dict(offer), callbackAddress=callback
    )


def agreement(negotiation: Negotiation, policy: Mapping[str, Any]) -> dict[str, Any]:
    """The agreement as the provider signed it."""
    return message("ContractAgreementMessage", **pids(negotiation), agreement=dict(policy))


def verification(negotiation: Negotiation, further: Mapping[str, Any]) -> dict[str, Any]:
    """The consumer's answer to the agreement; `further` holds its signature."""
    return message("ContractAgreementVerificationMessage", **pids(negotiation)) | dict(further)


def event(negotiation: Negotiation, kind: str) -> dict[str, Any]:
    """`ACCEPTED` by the consumer, `FINALIZED` by the provider."""
    return message("ContractNegotiationEventMessage", **pids(negotiation), eventType=kind)


def termination(process: Negotiation | Transfer, code: str, reason: Sequence[str]) -> dict[str, Any]:
    """That one side ends it."""
    type_ = (
        "TransferTerminationMessage"
        if isinstance(process, Transfer)
        else "ContractNegotiationTerminationMessage"
    )
    return message(type_, **pids(process), code=code or None, reason=list(reason) or None)


def transfer_request(transfer: Transfer, callback: str) -> dict[str, Any]:
    """That the consumer wants to read."""
    return message(
        "TransferRequestMessage",
        agreementId=transfer.agreement,
        format=transfer.format,
        callbackAddress=callback,
        consumerPid=transfer.pid,
    )


def transfer_start(transfer: Transfer, address: Mapping[str, Any] | None) -> dict[str, Any]:
    """That the transfer begins or goes on; from the provider with the address to read from."""
    said = dict(address) if address is not None else None
    return message("TransferStartMessage", **pids(transfer), dataAddress=said)


def transfer_suspension(transfer: Transfer, code: str, reason: Sequence[str]) -> dict[str, Any]:
    """That the transfer stands still."""
    return message(
        "TransferSuspensionMessage", **pids(transfer), code=code or None, reason=list(reason) or None
    )


def transfer_completion(transfer: Transfer) -> dict[str, Any]:
    """That the transfer is done."""
    return message("TransferCompletionMessage", **pids(transfer))


def state(process: Negotiation | Transfer) -> dict[str, Any]:
    """What a negotiation or a transfer is answered with: `ContractNegotiation`, `TransferProcess`."""
    type_ = "TransferProcess" if isinstance(process, Transfer) else "ContractNegotiation"
    return message(type_, **pids(process), state=process.state)


def error(
    type_: str, code: str, reason: Sequence[str], known: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """An error of the protocol.

    Args:
        type_: `CATALOG_ERROR`, `NEGOTIATION_ERROR` or `TRANSFER_ERROR`.
        code: one word for programs. reason: sentences for people.
        known: both pids; the last two types must name them, "" where one is not known.
    """
    names = {} if type_ == CATALOG_ERROR else {"providerPid": "", "consumerPid": ""} | dict(known or {})
    return message(type_, **names, code=code, reason=list(reason))
