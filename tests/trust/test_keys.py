"""The key that a twin signs with."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from twintown.ground.errors import BadData, BadSettings, StorageFailed
from twintown.trust.keys import (
    KEY_FILE,
    Key,
    fits,
    from_multibase,
    make_key,
    public_bytes,
    public_multibase,
    read_key,
    signing_key,
    to_multibase,
)

#: RFC 8032, section 7.1: secret, public, message, signature.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("secret", "public", "message", "signature"), RFC_8032)
def test_the_vectors_of_rfc_8032_hold(secret: str, public: str, message: str, signature: str) -> None:
    key = Key.of(bytes.fromhex(secret))
    assert public_bytes(key.public).hex() == public
    assert key.sign(bytes.fromhex(message)).hex() == signature
    assert fits(key.public, bytes.fromhex(signature), bytes.fromhex(message))
    assert not fits(key.public, bytes.fromhex(signature), b"another")


def test_the_published_multikey_pair_fits_together() -> None:
    key = Key.from_multikey(
        "z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq"
    )  # w3c/vc-di-eddsa, TestVectors
    assert key.public == "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"


@pytest.mark.parametrize(
    ("text", "sign"), [("Hello World!", "2NEpo7TZRRrLZSi2U"), ("The quick brown fox jumps over the lazy dog.",
     "USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z")],
)  # fmt: skip
def test_base_58_is_that_of_its_draft(text: str, sign: str) -> None:
    assert to_multibase(text.encode()) == "z" + sign
    assert from_multibase("z" + sign) == text.encode()


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\0\1", b"\0\0\x28\x7f\xb4\xcd", bytes(range(64))])
def test_zeros_at_the_front_survive(data: bytes) -> None:
    assert from_multibase(to_multibase(data)) == data


@pytest.mark.parametrize("text", ["", "u123", "z0", "zl", "z" + "1" * 300])
def test_what_is_no_multibase_text_is_named(text: str) -> None:
    with pytest.raises(BadData, match=r"key|base|copy"):
        from_multibase(text)


def test_a_key_of_another_curve_is_refused() -> None:
    with pytest.raises(BadData, match="Ed25519"):
        public_bytes(to_multibase(b"\x80\x24" + bytes(33)))
    with pytest.raises(BadData, match="Ed25519"):
        Key.from_multikey(public_multibase(bytes(32)))


def test_the_first_signature_makes_the_key_and_the_second_uses_it(tmp_path: Path) -> None:
    first = signing_key(tmp_path)
    assert signing_key(tmp_path) == first
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == [KEY_FILE]


def test_who_is_quicker_makes_the_key_for_all(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: signing_key(tmp_path).public, range(24)))
    assert len(set(made)) == 1


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    make_key(tmp_path).chmod(0o644)
    with pytest.raises(BadSettings, match="chmod 600"):
        signing_key(tmp_path)


def test_a_broken_file_is_no_key_and_stays(tmp_path: Path) -> None:
    path = make_key(tmp_path)
    path.write_text("broken\n")
    with pytest.raises(BadSettings, match="holds no key"):
        signing_key(tmp_path)
    assert path.read_text() == "broken\n"


def test_a_key_that_is_not_there_or_cannot_be_made_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed, match="cannot be read"):
        read_key(tmp_path / KEY_FILE)
    with pytest.raises(StorageFailed, match="cannot be written"):
        make_key(tmp_path / "nowhere")


def test_no_secret_is_shown(tmp_path: Path) -> None:
    key = signing_key(tmp_path)
    text = (tmp_path / KEY_FILE).read_text().strip()
    assert text not in repr(key)
    assert from_multibase(text)[2:].hex() not in repr(key)
    assert "_secret" not in repr(key)
