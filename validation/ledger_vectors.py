"""Trees, proofs and signed notes that other implementations of transparency logs publish and are tested with.

Roots and proofs: the eight leaves of Certificate Transparency's reference implementation (RFC 6962), as transparency-dev/merkle has
them. Notes: the example of golang.org/x/mod/sumdb/note; a checkpoint of the log arche2025h1.staging.ct.transparency.dev with the
cosignature of the witness remora.n621.de; the cosignature in c2sp.org/tlog-cosignature.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator

from twintown.ground.errors import BadData
from twintown.trust.checkpoints import read_checkpoint
from twintown.trust.keys import Key, public_multibase
from twintown.trust.notes import Note, Verifier, cosigned_at, sign, signatures, verified
from twintown.trust.tlog import (
    EMPTY,
    consistency,
    consistent,
    included,
    inclusion,
    leaf_hash,
    reader_of,
    root,
)
from twintown.trust.tlog_tiles import ENTRIES, Tile, tiles
from validation.case import Measured

LEAVES = [
    bytes.fromhex(one)
    for one in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
_A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
_B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
_C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
_D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
_E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
_F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
_G = "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f"
#: Leaf, size, audit path.
INCLUSIONS = [(0, 1, []), (0, 8, [_A, _B, _C]), (5, 8, [_D, _E, ROOTS[3]]), (2, 3, [ROOTS[1]]),
              (1, 5, [ROOTS[0], _B, _D])]  # fmt: skip
#: Old size, size, consistency proof.
CONSISTENCIES = [(1, 1, []), (1, 8, [_A, _B, _C]), (6, 8, [_F, _E, ROOTS[3]]), (2, 5, [_B, _D]),
                 (6, 7, [_F, _G, ROOTS[3]])]  # fmt: skip
#: The key, text and signed note of golang.org/x/mod/sumdb/note.
PETER = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNED = f"{TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
PETERS = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
HEAD = "arche2025h1.staging.ct.transparency.dev\n1432088532\nU7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=\n\n"
#: A signature of a type that nobody here knows.
OTHER = (
    "— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIp"
    "wtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=\n"
)
#: Those of the log and of its witness.
BOTH = (
    "— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7"
    "Ry1k3ZFWwQ=\n— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxt"
    "qB0DrAWfBw==\n"
)
LOG = "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
WITNESS = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
#: The cosignature in c2sp.org/tlog-cosignature, and its time.
COSIGNED = "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"  # noqa: E501
COSIGNED_AT = 1679315147


def verifier(vkey: str) -> Verifier:
    """A key as these logs and witnesses publish it: name, id, type and key."""
    name, _, key = vkey.split("+", 2)
    raw = base64.b64decode(key)
    return Verifier(name, public_multibase(raw[1:]), raw[0])


def measure() -> Iterator[Measured]:
    """How many of the published facts come out differently here."""
    read = reader_of([leaf_hash(leaf) for leaf in LEAVES])
    trees = [bytes.fromhex(one) for one in ROOTS]
    wrong = sum(root(size, read) != tree for size, tree in enumerate(trees, 1)) + (EMPTY.hex() != NOTHING)
    yield Measured("tlog", "ledger_vectors", "roots of 9 published trees that differ", wrong, 0.0, "roots")
    wrong = 0
    for index, size, proof in INCLUSIONS:
        path = [bytes.fromhex(one) for one in proof]
        holds = included(leaf_hash(LEAVES[index]), index, size, path, trees[size - 1])
        wrong += not holds or inclusion(index, size, read) != path
    for old, size, proof in CONSISTENCIES:
        path = [bytes.fromhex(one) for one in proof]
        holds = consistent(old, size, path, trees[old - 1], trees[size - 1])
        wrong += not holds or consistency(old, size, read) != path
    yield Measured(
        "tlog", "ledger_vectors", "published proofs of 10 that differ or do not hold", wrong, 0.0, "proofs"
    )
    counted = [tile.number for tile in tiles(70_000) if tile.level != ENTRIES and tile.full]
    partial = [tile for tile in tiles(70_000) if tile.level != ENTRIES and not tile.full]
    wrong = abs(len(counted) - 274) + (partial != [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)])
    wrong += Tile(0, 1234067).path != "tile/0/x001/x234/067"
    yield Measured(
        "tlog_tiles",
        "ledger_vectors",
        "tiles of the specification's examples that differ",
        wrong,
        0.0,
        "tiles",
    )
    key = Key.of(base64.b64decode(PETER)[1:])
    wrong = int(Note(TEXT).signed(sign(TEXT, "PeterNeumann", key)).encode() != SIGNED)
    wrong += sum(verifier(one).vkey() != one for one in (PETERS, LOG, WITNESS))
    wrong += int(cosigned_at(signatures(COSIGNED)[0]) != COSIGNED_AT)
    try:
        note = Note.parse(HEAD + OTHER + BOTH)
        wrong += read_checkpoint(note, [verifier(LOG)]).size != 1432088532
        wrong += len(verified(note, [verifier(WITNESS)])) != 1
    except BadData:
        wrong += 1
    yield Measured(
        "notes",
        "ledger_vectors",
        "published notes, keys and cosignatures of 7 not taken",
        wrong,
        0.0,
        "notes",
    )
