"""The signed document of a report: a W3C Verifiable Credential over the digests of its pages, its plans and its results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from twintown.jobs import manifest
from twintown.trust.did import method_of
from twintown.trust.keys import signing_key
from twintown.trust.proof import sign
from twintown.twin.layers import Twin

from .plans import Resolved


def credential(
    twin: Twin, id: str, did: str, address: str, mark: str, files: Mapping[str, str], resolved: Sequence[Resolved],
    seals: Sequence[Sequence[str]], at: datetime,
) -> dict[str, Any]:  # fmt: skip
    """The credential of a report, signed by the city at the moment `at`. Raises BadSettings, StorageFailed: the key."""
    key = signing_key(twin.directory)
    stated = {
        "@context": manifest.CONTEXT, "type": ["VerifiableCredential", "ScenarioReport"],
        "id": f"urn:uuid:{uuid5(NAMESPACE_URL, address)}", "issuer": did, "validFrom": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "credentialSubject": {
            "id": address, "type": "Report", "digest": mark, "files": dict(files),
            "scenarios": [{**one.scenario, "digest": one.digest} for one in resolved],
            "results": [{"title": title, "manifest": digest_} for title, digest_ in seals],
        },
    }  # fmt: skip
    return sign(stated, key, method_of(did, key.public), at.replace(microsecond=0))
