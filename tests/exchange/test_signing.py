"""Both cities sign the very agreement; a signature of another key, city or text is none."""

from __future__ import annotations

import pytest
from tests.exchange.test_agreement import FULL, NOW, PARTIES

from twintown.exchange import agreement
from twintown.exchange.signing import Signature, check_signature, digest_of, sign_agreement
from twintown.ground.errors import BadData
from twintown.trust.keys import Key

GIVER, TAKER = Key.of(b"g" * 32), Key.of(b"t" * 32)
TEXT = agreement.agreement("urn:uuid:2", FULL, at=NOW, **PARTIES)
PROOF = sign_agreement(TEXT, GIVER, PARTIES["assigner"], NOW)


def test_a_signature_says_who_when_and_by_which_key_and_is_kept_whole() -> None:
    found = check_signature(TEXT, PROOF, "provider", PARTIES["assigner"], [GIVER.public])
    assert (found.did, found.key, found.at) == (PARTIES["assigner"], GIVER.public, NOW)
    assert Signature.of(found.to_dict()) == found


def test_both_sign_the_same_whether_the_others_proof_lies_beside_it_or_not() -> None:
    beside = {**TEXT, "proof": PROOF}
    assert digest_of(beside) == digest_of(TEXT)
    theirs = sign_agreement(beside, TAKER, PARTIES["assignee"], NOW)
    assert check_signature(TEXT, theirs, "consumer", PARTIES["assignee"], [TAKER.public]).role == "consumer"


def test_no_other_signature_is_taken() -> None:
    did = PARTIES["assigner"]
    wrong = {
        "no signature": (TEXT, None, did, [GIVER.public]),
        "a key that is not pinned": (TEXT, PROOF, did, [TAKER.public]),
        "a city without keys": (TEXT, PROOF, did, []),
        "a changed text": (
            {**TEXT, "target": "urn:twintown:jamsil:layer:secret"},
            PROOF,
            did,
            [GIVER.public],
        ),
        "a changed time": (TEXT, {**PROOF, "created": "2027-01-01T00:00:00Z"}, did, [GIVER.public]),
        "another city's key": (
            TEXT,
            sign_agreement(TEXT, TAKER, PARTIES["assignee"], NOW),
            did,
            [TAKER.public],
        ),
        "a city that is no party": (TEXT, PROOF, "did:web:elsewhere.example", [GIVER.public]),
        "no proof at all": (TEXT, {"type": "DataIntegrityProof"}, did, [GIVER.public]),
    }
    for what, (text, proof, who, keys) in wrong.items():
        with pytest.raises(BadData) as refused:
            check_signature(text, proof, "provider", who, keys)
        assert refused.value.where == "proof of the provider", what
