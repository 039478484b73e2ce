"""Whether a credential was revoked: one bit of a list that says the same of 131,072 (W3C Bitstring Status List 1.0). Pure.

Who looks a credential up asks for the whole list, so the city does not learn which bag is being looked at; a place in it is drawn by
chance, so that neighbours in the list have nothing to do with each other (section 4.4). A list is signed as every credential is and says
until when it may be believed; who is offline believes the last one and says of when it is.
"""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from twintown.ground.errors import BadData

from .credential import CONTEXT, Credential, text, unpacked

#: Bits of a list: what the standard asks for at least (section 3.2), 16 KiB.
SIZE = 131_072
#: Bytes of the largest list that is read, unpacked: eight million bits.
LARGEST = 1 << 20
PURPOSE = "revocation"
#: How long a list that was signed is believed, and how long caches may keep it without asking again.
HOLDS, FRESH = timedelta(hours=24), timedelta(seconds=5)
_WHERE = "status list"


def empty() -> bytes:
    """A list in which nothing is revoked."""
    return bytes(SIZE // 8)


def is_set(bits: bytes, place: int) -> bool:
    """The bit at a place; the first is the highest of the first byte (section 3.1). Raises BadData: the list has no such place."""
    if not 0 <= place < len(bits) * 8:
        raise BadData(f"has no place {place}", _WHERE, "the certificate is of another list")
    return bool(bits[place // 8] >> (7 - place % 8) & 1)


def with_set(bits: bytes, places: Iterable[int]) -> bytes:
    """The list with these bits set. Raises BadData: it has no such place."""
    made = bytearray(bits)
    for place in places:
        is_set(bits, place)
        made[place // 8] |= 128 >> place % 8
    return bytes(made)


def encode(bits: bytes) -> str:
    """`encodedList`: `u` (multibase, base64url without padding) and the GZIP of the bits."""
    packed = gzip.compress(bits, 9, mtime=0)
    return "u" + base64.urlsafe_b64encode(packed).rstrip(b"=").decode("ascii")


def decode(said: Any) -> bytes:
    """The bits behind an `encodedList`. Raises BadData: it is none, or has fewer bits than the standard asks for."""
    try:
        if not isinstance(said, str) or not said.startswith("u"):
            raise ValueError
        packed = unpacked(said[1:])
        unpack = zlib.decompressobj(wbits=31)
        bits = unpack.decompress(packed, LARGEST + 1)  # no further than what is read, whatever it was made of
        if len(bits) > LARGEST or not unpack.eof or unpack.unused_data:
            raise ValueError
    except (ValueError, zlib.error) as error:
        raise BadData("holds no bits (GZIP in base64url, multibase u)", _WHERE) from error
    if len(bits) < SIZE // 8:
        raise BadData(f"has {len(bits) * 8:,} bits; a list has at least {SIZE:,}", _WHERE)
    return bits


def content(url: str, bits: bytes, issuer: Mapping[str, str], now: datetime) -> dict[str, Any]:
    """A BitstringStatusListCredential, to be signed.

    Args:
        url: where the list is had. issuer: id (a DID) and name. now: whole seconds are kept.
    """
    return {
        "@context": [CONTEXT],
        "id": url,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": dict(issuer),
        "validFrom": text(now),
        "validUntil": text(now + HOLDS),
        "credentialSubject": {
            "id": f"{url}#list",
            "type": "BitstringStatusList",
            "statusPurpose": PURPOSE,
            "encodedList": encode(bits),
        },
    }


def entry(url: str, place: int) -> dict[str, Any]:
    """`credentialStatus` of a credential that has a place in a list."""
    return {
        "id": f"{url}#{place}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": PURPOSE,
        "statusListIndex": str(place),
        "statusListCredential": url,
    }


def place_of(body: Mapping[str, Any]) -> tuple[str, int]:
    """The list and the place that a credential names. Raises BadData: none, or not this purpose."""
    said = body.get("credentialStatus")
    if not isinstance(said, dict) or said.get("type") != "BitstringStatusListEntry":
        raise BadData("names no place in a status list", "credentialStatus")
    url, place = said.get("statusListCredential"), said.get("statusListIndex")
    if said.get("statusPurpose") != PURPOSE or not isinstance(url, str):
        raise BadData("names a list that does not say what is revoked", "credentialStatus")
    if not isinstance(place, str) or not (place.isascii() and place.isdigit()) or len(place) > 9:
        raise BadData("names a place that is none", "credentialStatus")
    return url, int(place)


def bits_of(one: Credential, url: str) -> bytes:
    """The bits of a list that was read; its signature and dates are for `credential.findings`.

    Args:
        url: of the list that is meant.

    Raises:
        BadData: it is another list, of another purpose, or none.
    """
    said = one.body.get("credentialSubject")
    kinds = one.body.get("type", [])
    if (
        "BitstringStatusListCredential" not in kinds
        or not isinstance(said, dict)
        or said.get("type") != "BitstringStatusList"
    ):
        raise BadData("is no bitstring status list", _WHERE)
    if one.body.get("id") != url or said.get("statusPurpose") != PURPOSE:
        raise BadData("is another list than the certificate names", _WHERE)
    return decode(said.get("encodedList"))
