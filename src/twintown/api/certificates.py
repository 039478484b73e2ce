"""Certificates of lots: issued by officers, read and checked by anyone who holds a bag."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.certificate_models import CertificateModel, CheckModel, certifying_of, seen_of
from twintown.api.exchange_models import Who, author_of, side
from twintown.api.guard import Reading, Sharing
from twintown.api.represent import negotiate
from twintown.api.schemas import Model
from twintown.trust.credential import MEDIA

router = APIRouter(tags=["certificates"])
CertificateId = Annotated[str, Path(max_length=80, description="id of the certificate")]
#: What a certificate is had as; the first is the default.
OFFERS = {"jwt": MEDIA, "json": "application/json"}
_BODY = {MEDIA: {"schema": {"type": "string"}}, "application/json": {"schema": {"type": "object"}}}


class NewCertificates(Model):
    """Which lots are to be certified, and until when."""

    lots: list[Annotated[str, Field(min_length=1, max_length=120)]] | Literal["all"] = Field(
        description="ids of rows of the layer `lots`, or all"
    )
    until: datetime | None = Field(
        default=None, description="RFC 3339, with its zone; without it they hold as long as the lots keep"
    )
    author: Who


class CertifiedModel(Model):
    """One certificate that was issued."""

    id: str
    lot: str
    digest: str = Field(description="SHA-256 of the certificate, hexadecimal")
    ledger: int = Field(description="its entry in the ledger")


class RefusedLot(Model):
    """One lot that got no certificate."""

    lot: str
    why: str


class IssuedModel(Model):
    """What issuing came to."""

    issued: list[CertifiedModel]
    refused: list[RefusedLot]


class CertificateList(Model):
    """Certificates, the newest first."""

    certificates: list[CertificateModel]


class CertificateStatus(Model):
    """Whether a certificate holds, question by question, as this server sees it now."""

    certificate: CertificateModel
    at: datetime
    state: Literal["good", "bad", "unknown"]
    why: str = Field(
        description="revoked, expired, not-yet-valid, forged, other-lot, unknown-issuer, not-in-ledger, …; or empty"
    )
    checks: list[CheckModel]
    entry: dict[str, Any] | None = Field(
        description="the ledger's entry of it with record, salt and proof; null while it is not in the tree yet"
    )


@router.post(
    "/twins/{twin}/certificates", operation_id="issueCertificates", status_code=201, response_model=IssuedModel,
    responses=problems.responses(400, 401, 403, 404, 409, 413, 503, 507),
)  # fmt: skip
def issue_certificates(request: Request, asked: Sharing, body: NewCertificates) -> Response:
    """Certify lots: one signed certificate each, from what the layer says now, with its digest in the ledger."""
    from twintown.programme import certificate, certificates

    party, now = side(request, asked), datetime.now(UTC)
    until = certificate.until_of(body.until.isoformat(), now) if body.until else None
    by = certificates.certifying(party.twin, party.did, party.address)
    wanted = None if body.lots == "all" else body.lots
    done = certificates.issue(party.twin, by, asked.grant, wanted, author_of(asked, body.author), now, until)
    party.wake()
    said = IssuedModel(
        issued=[
            CertifiedModel(id=one.id, lot=one.lot, digest=one.digest, ledger=one.ledger) for one in done.made
        ],
        refused=[RefusedLot(lot=lot, why=why) for lot, why in done.refused],
    )
    return Response(answers.dumps(said), 201, {"Cache-Control": answers.PRIVATE}, "application/json")


@router.get(
    "/twins/{twin}/certificates", operation_id="getCertificates", response_model=CertificateList,
    responses=problems.responses(400, 401, 404, 503),
)  # fmt: skip
def get_certificates(
    request: Request, asked: Reading,
    lot: Annotated[str, Query(max_length=120, description="only of this lot")] = "",
    limit: Annotated[int, Query(ge=1, le=20_000, description="certificates in the answer, at most")] = 100,
) -> Response:  # fmt: skip
    """The certificates that were issued here, the newest first."""
    from twintown.programme import certificate_rows as rows

    by, now = certifying_of(request, asked), datetime.now(UTC)
    found = [CertificateModel.of(one, by, now) for one in rows.listed(asked.served.twin.tables, lot, limit)]
    return answers.answer_json(request, CertificateList(certificates=found))


@router.get(
    "/twins/{twin}/certificates/{certificate}", operation_id="getCertificate", response_class=Response,
    responses={200: {"description": "the certificate", "content": _BODY}, **problems.responses(400, 401, 404, 406, 503)},
)  # fmt: skip
def get_certificate(
    request: Request, asked: Reading, certificate: CertificateId,
    f: Annotated[Literal["jwt", "json"] | None, Query(description="representation; without it the header Accept decides")] = None,
) -> Response:  # fmt: skip
    """A certificate: a W3C Verifiable Credential 2.0 as a signed token, or as JSON that envelops it."""
    from twintown.programme import certificate_rows as rows
    from twintown.trust.credential import enveloped, read

    found = rows.one(asked.served.twin.tables, certificate)
    vary = {"Vary": "Accept, Accept-Encoding, Authorization, Cookie"}
    if negotiate(request, OFFERS, f) == "jwt":
        return answers.answer(request, found.jwt.encode(), MEDIA, headers=vary)
    said = {"enveloped": enveloped(found.jwt), "credential": dict(read(found.jwt).body)}
    return answers.answer(request, answers.dumps(said), "application/json", headers=vary)


@router.get(
    "/twins/{twin}/certificates/{certificate}/status", operation_id="checkCertificate", response_model=CertificateStatus,
    responses=problems.responses(400, 401, 404, 503),
)  # fmt: skip
def check_certificate(
    request: Request, asked: Reading, certificate: CertificateId,
    link: Annotated[str, Query(max_length=500, description="what the code on the bag says (GS1 Digital Link)")] = "",
) -> Response:  # fmt: skip
    """Check a certificate: issuer, signature, lot, dates, status list and ledger."""
    from twintown.programme import certificate_rows as rows
    from twintown.programme.certificate_check import check
    from twintown.trust.digital_link import parse

    named = parse(link) if link else None
    found, now = rows.one(asked.served.twin.tables, certificate), datetime.now(UTC)
    by = certifying_of(request, asked)
    seen = seen_of(asked, by, found, named, now)
    verdict = check(found.jwt, seen, now)
    said = CertificateStatus(
        certificate=CertificateModel.of(found, by, now), at=now, state=verdict.state, why=verdict.why,
        checks=[CheckModel.model_validate(one.to_dict()) for one in verdict.checks],
        entry=seen.entry.to_dict() if seen.entry else None,
    )  # fmt: skip
    return answers.answer_json(request, said, cache="no-store")


@router.get(
    "/twins/{twin}/certificates/{certificate}/qr.svg", operation_id="getCertificateCode", response_class=Response,
    responses={
        200: {"description": "the code", "content": {"image/svg+xml": {"schema": {"type": "string"}}}},
        **problems.responses(400, 401, 404, 503),
    },
)  # fmt: skip
def get_code(request: Request, asked: Reading, certificate: CertificateId) -> Response:
    """The code for the bag: a QR code that holds the lot's GS1 Digital Link."""
    from twintown.api.labels import code_of
    from twintown.programme import certificate_rows as rows
    from twintown.trust.digital_link import LotLink

    found = rows.one(asked.served.twin.tables, certificate)
    drawn = code_of(LotLink(certifying_of(request, asked).address, found.gtin, found.batch).url)
    # Within a page it is HTML's own; alone it must say what it is.
    drawn = drawn.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return answers.answer(request, drawn.encode(), "image/svg+xml")
