"""The other side of the Dataspace Protocol's scenarios, after the public kit (Eclipse Dataspace TCK, DSP 2025-1): facts, no code of it.

A scenario is a line of steps: `>word` we, the kit, send that message and it is taken; `!word` we send it and it must be refused (4xx, no
404, the state stays); `<word` the connector under test sends it by itself; `=STATE` the connector says that state.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from twintown.exchange import schemas
from twintown.exchange.courier import Answer
from twintown.exchange.handshake import Handshake
from twintown.exchange.rehearsal import offer_id

CONTEXT = ["https://w3id.org/dspace/2025/1/context.jsonld"]
ROOT = "/twins/small/dsp"
ADDRESS = "http://kit.example:8083"
NEGOTIATION = {
    "request": ("request", "ContractRequestMessage"), "offers": ("offers", "ContractOfferMessage"),
    "accepted": ("events", "ContractNegotiationEventMessage"), "finalized": ("events", "ContractNegotiationEventMessage"),
    "agreement": ("agreement", "ContractAgreementMessage"),
    "verification": ("agreement/verification", "ContractAgreementVerificationMessage"),
    "termination": ("termination", "ContractNegotiationTerminationMessage"),
}  # fmt: skip
TRANSFER = {
    "request": ("request", "TransferRequestMessage"), "start": ("start", "TransferStartMessage"),
    "suspension": ("suspension", "TransferSuspensionMessage"), "completion": ("completion", "TransferCompletionMessage"),
    "termination": ("termination", "TransferTerminationMessage"),
}  # fmt: skip
DATA_ADDRESS = {
    "@type": "DataAddress", "endpointType": "https://w3id.org/idsa/v4.1/HTTP", "endpoint": "https://kit.example/data",
    "endpointProperties": [{"@type": "EndpointProperty", "name": "authorization", "value": "token"}],
}  # fmt: skip


@dataclass
class Kit:
    """A connector beside the one under test: what it sends goes over HTTP, what it is sent comes to `ask`."""

    client: Any
    hand: Handshake
    twin: Any
    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    ours: str = ""
    theirs: str = ""
    role: str = "consumer"
    kind: str = "negotiations"
    name: str = ""
    clock: datetime = field(default_factory=lambda: datetime.now(UTC))

    def ask(
        self, pinned: str, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """What the courier of the connector under test sends us."""
        assert pinned == ADDRESS and url.startswith(ADDRESS), url
        assert headers and headers["Authorization"].startswith("Bearer ")
        message = json.loads(body)
        path = url.removeprefix(ADDRESS)
        schemas.check(message, message["@type"])
        self.heard.append((path, message))
        if path.endswith("/request") and path.count("/") == 2:
            self.ours, self.theirs = f"urn:uuid:{uuid4()}", message["consumerPid"]
            return self._answer(201, self._state("REQUESTED"))
        return self._answer(200, {})

    def play(self, steps: str) -> None:
        """Go through a scenario."""
        for step in steps.split():
            how, word = step[0], step[1:]
            if how == "=":
                assert self.state() == word, step
            elif how == "<":
                self.expect(word)
            elif how == ">":
                answer = self.send(word)
                assert answer.status_code == (201 if word == "request" and not self._known else 200), (
                    step,
                    answer.text,
                )
                self._known = True
            else:
                before = self.state()
                answer = self.send(word)
                assert 400 <= answer.status_code < 500 and answer.status_code != 404, (step, answer.text)
                schemas.check(answer.json(), "ContractNegotiationError", "TransferError")
                assert self.state() == before
        self.turn()
        assert not self.heard, f"nobody waited for {self.heard}"

    _known = False

    def begin(self, kind: str, name: str, role: str) -> Kit:
        """A new scenario, as consumer or provider."""
        self.kind, self.name, self.role, self._known = kind, name, role, role == "provider"
        self.heard.clear()
        self.ours, self.theirs = (f"urn:uuid:{uuid4()}", "") if role == "consumer" else ("", "")
        return self

    def initiate(self) -> Kit:
        """Tell the connector under test to begin with us."""
        said = {"providerId": "TCK_PARTICIPANT", "connectorAddress": ADDRESS}
        if self.kind == "negotiations":
            said |= {"datasetId": self.name, "offerId": offer_id(self.name)}
        else:
            said |= {"agreementId": self.name, "format": "HttpData-PULL"}
        answer = self.client.post(f"/twins/small/dsp-test/{self.kind}", json=said)
        assert answer.status_code == 200, answer.text
        self.turn()
        return self

    def expect(self, word: str) -> dict[str, Any]:
        """A message that the connector under test sends by itself."""
        if not self.heard:
            self.turn()
        assert self.heard, f"no {word} came"
        path, message = self.heard.pop(0)
        end, type_ = (NEGOTIATION if self.kind == "negotiations" else TRANSFER)[word]
        first = word == "request" and path == f"/{self.kind}/request"
        assert first or path == f"/{self.kind}/{self.ours}/{end}", (word, path)
        assert message["@type"] == type_
        if not first:
            mine, other = (
                ("consumerPid", "providerPid") if self.role == "consumer" else ("providerPid", "consumerPid")
            )
            assert message[mine] == self.ours and message[other] == self.theirs
        if word in ("accepted", "finalized"):
            assert message["eventType"] == word.upper()
        return message

    def turn(self) -> None:
        """Time passes for the connector under test."""
        if self.heard:
            return
        self.clock = max(self.clock, datetime.now(UTC)) + timedelta(seconds=2)
        for _ in range(2):
            self.hand.bring(self.hand.party(self.twin), clock=lambda: self.clock)

    def send(self, word: str) -> Any:
        """One message of ours to the connector under test."""
        path, body = self.message(word)
        answer = self.client.post(f"{ROOT}{path}", json=body, headers={"Authorization": '{"region": "any"}'})
        if answer.status_code == 201:
            said = answer.json()
            schemas.check(said, "ContractNegotiation", "TransferProcess")
            self.theirs = said["providerPid"]
            assert said["consumerPid"] == self.ours and said["state"] == "REQUESTED"
        return answer

    def message(self, word: str) -> tuple[str, dict[str, Any]]:
        """Where a message of ours goes, and what it says."""
        end, type_ = (NEGOTIATION if self.kind == "negotiations" else TRANSFER)[word]
        pids = {"providerPid": self.theirs, "consumerPid": self.ours}
        if self.role == "provider":
            pids = {"providerPid": self.ours, "consumerPid": self.theirs}
        body: dict[str, Any] = {"@context": CONTEXT, "@type": type_, "@id": str(uuid4()), **pids}
        offer = {
            "@id": offer_id(self.name),
            "@type": "Offer",
            "target": self.name,
            "permission": [{"action": "use", "constraint": []}],
        }
        if word == "request" and not self._known:
            del body["providerPid"]
            body["callbackAddress"] = ADDRESS
            if self.kind == "transfers":
                body |= {"agreementId": self.name, "format": "HttpData-PULL"}
            else:
                body["offer"] = offer
            return f"/{self.kind}/request", body
        if word in ("request", "offers"):
            body["offer"] = {**offer, "assigner": "CONNECTOR_UNDER_TEST", "assignee": "TCK_PARTICIPANT"}
        elif word in ("accepted", "finalized"):
            body["eventType"] = word.upper()
        elif word == "agreement":
            moment = datetime.now(UTC).isoformat().replace("+00:00", "Z")
            parties = {"assigner": "TCK_PARTICIPANT", "assignee": "CONNECTOR_UNDER_TEST", "timestamp": moment}
            body["agreement"] = {**offer, "@id": str(uuid4()), "@type": "Agreement", **parties}
            body["callbackAddress"] = ADDRESS
        elif word == "start" and self.role == "provider":
            body["dataAddress"] = DATA_ADDRESS
        elif word in ("termination", "suspension"):
            body |= {"code": "1", "reason": [{"message": "because"}]}
        return f"/{self.kind}/{self.theirs}/{end}", body

    def state(self) -> str:
        """How the connector under test says that it stands."""
        answer = self.client.get(f"{ROOT}/{self.kind}/{self.theirs}")
        assert answer.status_code == 200, answer.text
        said = answer.json()
        schemas.check(said, "ContractNegotiation" if self.kind == "negotiations" else "TransferProcess")
        return str(said["state"])

    def _state(self, state: str) -> dict[str, Any]:
        type_ = "ContractNegotiation" if self.kind == "negotiations" else "TransferProcess"
        return {
            "@context": CONTEXT,
            "@type": type_,
            "providerPid": self.ours,
            "consumerPid": self.theirs,
            "state": state,
        }

    def _answer(self, status: int, body: Mapping[str, Any]) -> Answer:
        return Answer(status, json.dumps(body).encode(), "application/json", {})
