from __future__ import annotations

import base64

import pytest
from validation.ledger_vectors import (
    BOTH,
    COSIGNED,
    COSIGNED_AT,
    HEAD,
    LOG,
    OTHER,
    PETERS,
    SIGNED,
    TEXT,
    WITNESS,
    verifier,
)
from validation.ledger_vectors import PETER as PETERS_KEY

from twintown.ground.errors import BadData
from twintown.trust.checkpoints import (
    Checkpoint,
    log_keys,
    origin_of,
    read_checkpoint,
    signed_checkpoint,
    witness_keys,
)
from twintown.trust.keys import Key
from twintown.trust.notes import COSIGNATURE, Note, Verifier, cosign, cosigned_at, sign, signatures, verified

PETER = Key.of(base64.b64decode(PETERS_KEY)[1:])
PUBLISHED = HEAD + OTHER + BOTH
SEOUL, ICHEON = Key.of(bytes(32)), Key.of(b"\1" * 32)


def test_a_note_is_signed_to_the_bytes_that_go_makes() -> None:
    note = Note(TEXT).signed(sign(TEXT, "PeterNeumann", PETER))
    assert note.encode() == SIGNED
    key = verifier(PETERS)
    assert list(verified(Note.parse(note.encode()), [key])) == [key]


def test_a_published_checkpoint_and_its_witness_are_believed() -> None:
    note = Note.parse(PUBLISHED.encode())
    log, witness = verifier(LOG), verifier(WITNESS)
    assert note.encode() == PUBLISHED
    found = read_checkpoint(note, [log])
    assert (found.size, found.text()) == (1432088532, note.text)
    cosigned = verified(note, [witness])
    assert [cosigned_at(one) for one in cosigned.values()] == [0x6A122120]
    with pytest.raises(BadData, match="not signed"):
        read_checkpoint(note, [witness])


@pytest.mark.parametrize("at", [*range(0, len(HEAD), 5), *range(-len(BOTH), 0, 11)])
def test_a_published_checkpoint_with_one_sign_changed_is_not(at: int) -> None:
    at %= len(PUBLISHED)
    touched = PUBLISHED[:at] + ("B" if PUBLISHED[at] == "A" else "A") + PUBLISHED[at + 1 :]
    keys = [verifier(LOG), verifier(WITNESS)]
    try:
        note = Note.parse(touched)
        found = len(verified(note, keys)) if Checkpoint.parse(note.text) else 0
    except BadData:
        found = 0
    assert found < 2


def test_the_cosignature_of_the_specification_is_of_its_time() -> None:
    assert cosigned_at(signatures(COSIGNED)[0]) == COSIGNED_AT
    with pytest.raises(BadData):
        cosigned_at(signatures(SIGNED.partition("\n\n")[2])[0])


def test_a_checkpoint_is_cosigned_and_each_signature_counts_for_its_own_key() -> None:
    origin, name = origin_of("https://seoul.example/twins/seoul"), "icheon.example/twins/icheon/ledger"
    assert origin == "seoul.example/twins/seoul/ledger"
    checkpoint = Checkpoint(origin, 3, bytes(32))
    note = signed_checkpoint(checkpoint, SEOUL)
    assert note == signed_checkpoint(checkpoint, SEOUL)
    note = note.signed(cosign(note.text, name, ICHEON, 1_700_000_000))
    again = note.signed(cosign(note.text, name, ICHEON, 1_700_000_001))
    assert len(again.signatures) == 2 and cosigned_at(again.signatures[1]) == 1_700_000_001
    read = Note.parse(again.encode())
    assert read == again and read_checkpoint(read, log_keys(origin, [SEOUL.public])) == checkpoint
    (witness,) = witness_keys(name, [ICHEON.public])
    assert list(verified(read, [witness])) == [witness] and witness.type == COSIGNATURE
    assert not verified(read, [Verifier(name, ICHEON.public)])  # another type of signature is another key
    others = log_keys(origin, [ICHEON.public]), log_keys("other", [SEOUL.public])
    for keys in ([], *others, witness_keys(origin, [SEOUL.public])):
        with pytest.raises(BadData):
            read_checkpoint(read, keys)


def test_a_key_that_was_changed_keeps_the_origin_and_either_may_sign() -> None:
    checkpoint = Checkpoint("seoul", 3, bytes(32))
    keys = log_keys("seoul", [SEOUL.public, ICHEON.public])
    for key in (SEOUL, ICHEON):
        assert read_checkpoint(signed_checkpoint(checkpoint, key), keys) == checkpoint


@pytest.mark.parametrize(
    "said",
    [
        b"", b"text\n", b"text\n\n", "text\n— a AAAAAAA=\n".encode(), "text\n\n— a AAAAAAA=".encode(), "text\n\n— a\n".encode(),
        "text\n\n— a b AAAAAAA=\n".encode(), "text\n\n— a+b AAAAAAA=\n".encode(), "text\n\n— a AAAA\n".encode(), b"text\n\n- a AAAAAAA=\n",
        "te\txt\n\n— a AAAAAAA=\n".encode(), "text\n\n— a AAA!AAA=\n".encode(), b"te\xffxt\n\n",
        ("text\n\n" + "— a AAAAAAA=\n" * 65).encode(), b"x" * 70_000,
    ],
)  # fmt: skip
def test_what_is_no_note_is_refused(said: bytes) -> None:
    with pytest.raises(BadData):
        Note.parse(said)


@pytest.mark.parametrize(
    "text",
    [
        "", "a\n1\n", "a\n01\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", "a\n-1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", "a\n1\nAAAA\n", "a\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n",
        "a\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n", "a\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "a\n99999999999999999999\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
    ],
)  # fmt: skip
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(BadData):
        Checkpoint.parse(text)


@pytest.mark.parametrize("name", ["", "two words", "a+b"])
def test_a_key_without_a_good_name_signs_nothing(name: str) -> None:
    with pytest.raises(BadData):
        sign("text\n", name, SEOUL)
