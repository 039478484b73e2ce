"""The manifest of a result: everything that it hangs on, as a W3C Verifiable Credential (VC Data Model 2.0).

What a stranger needs to ask the same question again and to compare: the process with its version, its papers and measured errors;
the inputs by digest (of the file, and of the content whatever file it is in), with licence and source; edits, parameters and place;
the outputs by digest of their content; the sources of the code; the machine. Who asked and from where is not in it.

A manifest is stated when the answer is made (`state`) and signed when it is given out (`issue`): the same bytes each time, under the
name that the city has then.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from twintown.ground.content import content_digest
from twintown.ground.errors import BadData
from twintown.jobs.code import code_of, environment
from twintown.jobs.process import Process
from twintown.jobs.question import Question, found, input_bytes
from twintown.jobs.warrants import citations, measurements
from twintown.trust.did import PUBLIC_URL, did_of, document, method_of
from twintown.trust.keyring import own_keys
from twintown.trust.keys import signing_key
from twintown.trust.policy import Grant
from twintown.trust.proof import canonical, sign
from twintown.twin.layers import LayerVersion, Twin
from twintown.twin.views import KINDS

if TYPE_CHECKING:
    from twintown.jobs.job import Job

#: The second gives every word that the first does not know a meaning of its own, as the data model asks.
CONTEXT = ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/undefined-terms/v2"]
TYPE = ["VerifiableCredential", "ResultManifest"]
#: Raised when a member changes its meaning.
FORM = "1"


def state(
    twin: Twin, grant: Grant, question: Question, process: Process, outputs: Mapping[str, Mapping[str, Any]], job: Job, seconds: float
) -> dict[str, Any]:  # fmt: skip
    """The manifest of an answer, without issuer and signature.

    Args:
        outputs: by output: layer, version, digest of the file, content (its digest), kind, count, bytes, unit, error.
        job: who asked is left out; its time counts.
        seconds: what the computing took.

    Raises:
        Gone: an input is not kept any more.
        Unauthenticated, Denied: the Grant does not cover an input.
        BadData: something in it is no JSON.
    """
    about = twin.description
    subject = {
        "id": f"urn:sha256:{question.digest.partition(':')[2]}",
        "type": "Result",
        "form": FORM,
        "question": question.digest,
        "city": {"id": about.id, "name": about.names.to_dict()},
        "process": process_of(process),
        "parameters": dict(question.inputs),
        "inputs": [_input(twin, grant, question, layer) for layer in sorted(question.layers)],
        "edits": [dict(edit) for edit in question.edits],
        "scenario": dict(question.scenario) if question.scenario else None,
        "place": dict(question.place),
        "narrowed": dict(question.narrowed),
        "outputs": [_output(process, name, outputs[name]) for name in sorted(outputs)],
        "error": process.error.to_dict() if process.error else None,
        "code": code_of(process),
        "environment": environment(),
        "seconds": round(seconds, 3),
    }
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    stated = {
        "@context": CONTEXT,
        "id": f"urn:uuid:{uuid5(NAMESPACE_URL, f'{about.id}/jobs/{job.id}')}",
        "type": TYPE,
        "name": _words(process.title.to_dict()),
        "validFrom": at,
        "credentialSubject": subject,
    }
    canonical(stated)  # says what is no JSON while the question is at hand
    return stated


def process_of(process: Process) -> dict[str, Any]:
    """What a process promises, as far as an answer rests on it."""
    return {
        "id": process.id,
        "version": process.version,
        "title": process.title.to_dict(),
        "about": process.about.to_dict() if process.about else None,
        "citations": [one.to_dict() for one in citations(process.citations)],
        "validation": [one.to_dict() for one in measurements(process.validation)],
    }


def identity(twin: Twin, public_url: str = "") -> dict[str, Any]:
    """The DID document of a twin: its name, its keys (one is made where there is none), its services.

    Args:
        public_url: where the server is to the world; counts where the twin's description names no did:web.

    Raises:
        BadSettings: the address is none, or the key's file can be read by others.
        StorageFailed: the key can be neither read nor made.
    """
    did = twin.description.did or did_of(twin.description.id, public_url or PUBLIC_URL)
    keys = own_keys(twin)
    address = f"{(public_url or PUBLIC_URL).rstrip('/')}/twins/{twin.description.id}"
    return document(did, [one.known for one in keys], address, [one.endorsed for one in keys if one.endorsed])


def issue(twin: Twin, stated: Mapping[str, Any], public_url: str = "") -> dict[str, Any]:
    """A stated manifest under the name and with the signature of the city.

    The moment of the signature is that of the answer: the same manifest has the same bytes whenever it is asked for.

    Raises:
        BadData: it is no manifest.
        BadSettings, StorageFailed: see `identity`.
    """
    key = signing_key(twin.directory)
    did = twin.description.did or did_of(twin.description.id, public_url or PUBLIC_URL)
    base = (public_url or PUBLIC_URL).rstrip("/")
    try:
        created = datetime.fromisoformat(stated["validFrom"])
        subject = dict(stated["credentialSubject"])
        subject["inputs"] = [{**one, "href": f"{base}{one['href']}"} for one in subject["inputs"]]
    except (KeyError, TypeError, ValueError) as error:
        raise BadData(
            f"this is no manifest ({error})", twin.description.id, "ask the question again"
        ) from error
    issuer = {"id": did, "name": _words(twin.description.names.to_dict())}
    whole = {**stated, "issuer": issuer, "credentialSubject": subject}
    return sign(whole, key, method_of(did, key.public), created)


def to_bytes(document: Mapping[str, Any]) -> bytes:
    """A manifest as a file: the canonical form itself, so that there is one way to write it. Raises BadData."""
    return canonical(dict(document))


def _input(twin: Twin, grant: Grant, question: Question, layer: str) -> dict[str, Any]:
    named = question.layers[layer]
    version = found(twin, grant, layer, named)
    shape = twin.read(version, grant)
    edited = "." in named["version"]
    size = len(input_bytes(twin, grant, question, layer)) if edited else twin.blobs.size(version.key)
    return {
        "layer": layer, "title": version.title.to_dict(), "version": named["version"], "kind": version.kind,
        "digest": named["digest"], "content": content_digest(shape), "bytes": size, "grade": named["grade"],
        "count": len(shape) if version.kind in KINDS and hasattr(shape, "__len__") else version.count,
        "sources": _sources(version),
        "href": f"/twins/{quote(twin.description.id, safe='')}/collections/{quote(layer, safe='')}",
    }  # fmt: skip


def _sources(version: LayerVersion) -> list[dict[str, Any]]:
    """Who published what an input is made from, under which licence, and where it can be had."""
    return [
        {
            "title": one.title, "publisher": one.publisher, "url": one.url, "date": one.date,
            "licence": {"id": one.licence.id, "title": one.licence.title, "url": one.licence.url,
                        "attribution": one.licence.attribution},
        }
        for one in version.provenance.sources
    ]  # fmt: skip


def _output(process: Process, name: str, made: Mapping[str, Any]) -> dict[str, Any]:
    output = next(one for one in process.outputs if one.layer == name)
    return {
        "output": name, "layer": made["layer"], "version": made["version"], "title": output.title.to_dict(),
        "shape": output.shape, "kind": made["kind"], "unit": output.unit, "error": float(output.error),
        "digest": made["digest"], "content": made["content"], "count": made["count"], "bytes": made["bytes"],
        "grade": made["grade"],
    }  # fmt: skip


def _words(names: Mapping[str, str]) -> list[dict[str, str]]:
    """A name in both languages, as the data model has it."""
    return [{"@value": names[lang], "@language": lang} for lang in ("ko", "en")]
