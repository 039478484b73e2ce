"""Both cities sign the very agreement: a data integrity proof each (`eddsa-jcs-2022`) over the same ODRL object.

The provider's travels beside the agreement in the `ContractAgreementMessage`, the consumer's in the
`ContractAgreementVerificationMessage`, both in the member `proof`, which the protocol's schemas allow and other connectors leave alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from twintown.exchange.odrl import moment
from twintown.ground.errors import BadData
from twintown.trust.did import document, method_of
from twintown.trust.keys import Key
from twintown.trust.proof import canonical, check, sign

Role = Literal["provider", "consumer"]
#: Members of a message in which a proof travels; neither is part of what is signed.
PROOF = "proof"


@dataclass(frozen=True, slots=True)
class Signature:
    """One city's signature.

    Attributes:
        role: as what it signs.
        did: who signs.
        key: with which key (Multikey).
        at: when, by its own clock.
        proof: the whole data integrity proof.
    """

    role: Role
    did: str
    key: str
    at: datetime
    proof: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """As a row of `agreements` keeps it."""
        return {"role": self.role, "did": self.did, "key": self.key, "at": self.at.isoformat(), "proof": dict(self.proof)}  # fmt: skip

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Signature:
        """The inverse of `to_dict`."""
        return cls(said["role"], said["did"], said["key"], datetime.fromisoformat(said["at"]), said["proof"])


def sign_agreement(agreement: Mapping[str, Any], key: Key, did: str, now: datetime) -> dict[str, Any]:
    """The proof of a city over an agreement. Raises BadData: the agreement has no canonical form."""
    proof: dict[str, Any] = sign(_plain(agreement), key, method_of(did, key.public), now)[PROOF]
    return proof


def check_signature(
    agreement: Mapping[str, Any], proof: Any, role: Role, did: str, keys: Sequence[str]
) -> Signature:
    """A signature that fits, by one of the keys that were pinned for its city.

    Raises:
        BadData: none, by another key, for another agreement, or changed afterwards; it says which city's.
    """
    where = f"proof of the {role}"
    if not isinstance(proof, Mapping):
        raise BadData(
            "the agreement is not signed", where, "ask the partner for a server that signs agreements"
        )
    wanted = agreement.get("assigner" if role == "provider" else "assignee")
    if wanted != did:
        raise BadData(f"the agreement names {str(wanted)[:200]!r} as its {role}, not {did}", where, "refuse")
    found = check({**_plain(agreement), PROOF: dict(proof)}, document(did, list(keys)))
    if found:
        raise BadData(found[0].what, where, "end the negotiation and ask the partner which key it signs with")
    key = str(proof["verificationMethod"]).partition("#")[2]
    return Signature(role, did, key, moment(proof.get("created"), f"{where}.created"), dict(proof))


def digest_of(agreement: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical form of what both sign, hexadecimal: how ledgers and letters name the agreement's text."""
    import hashlib

    return hashlib.sha256(canonical(_plain(agreement))).hexdigest()


def _plain(agreement: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in agreement.items() if name != PROOF}
