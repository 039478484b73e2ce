"""What the code on a bag leads to (GS1 Digital Link): the visitor's page, the certificate, or all that is known of the lot as links.

A browser gets the page; a program says what it wants: JSON, the certificate itself (`application/vc+jwt`), or a set of links
(`application/linkset+json`, RFC 9264) with the types of GS1's vocabulary.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.certificate_models import CertificateModel, certifying_of
from twintown.api.guard import Reading
from twintown.api.page import Page
from twintown.api.represent import negotiate
from twintown.api.schemas import Model, Names
from twintown.trust.credential import MEDIA

router = APIRouter(tags=["certificates"])
LINKSET = "application/linkset+json"
OFFERS = {"json": "application/json", "html": "text/html", "jwt": MEDIA, "linkset": LINKSET}
#: The visitor's page among the files of the built page.
PAGE = "proof.html"
_GS1 = "https://ref.gs1.org/voc"
_VARY = {"Vary": "Accept, Accept-Encoding, Authorization, Cookie"}


class BagModel(Model):
    """What is known of the lot that a code names."""

    gtin: str
    batch: str
    link: str
    restricted: bool = Field(
        description="whether the GTIN is for restricted circulation: nobody's in the world"
    )
    city: Names
    time_zone: str = Field(description="of the city (IANA)")
    certificate: CertificateModel
    credential: str = Field(description="the certificate itself, a signed token")
    status_list: str = Field(description="where the list is had that says whether it was revoked")
    status: str = Field(description="where this server's own check is had")
    identity: str = Field(description="where the city's keys are had (DID document)")


_CONTENT: dict[str, Any] = {
    "application/json": {"schema": {"$ref": "#/components/schemas/BagModel"}}, "text/html": {"schema": {"type": "string"}},
    MEDIA: {"schema": {"type": "string"}}, LINKSET: {"schema": {"type": "object"}},
}  # fmt: skip


@router.get(
    "/twins/{twin}/01/{gtin}/10/{batch:path}", operation_id="getBag", response_model=BagModel,
    responses={200: {"description": "what is known of the lot", "content": _CONTENT}, **problems.responses(400, 401, 404, 406, 503)},
)  # fmt: skip
def get_bag(
    request: Request, asked: Reading,
    gtin: Annotated[str, Path(pattern=r"^[0-9]{1,14}$", description="GTIN of the product, its check digit included")],
    batch: Annotated[str, Path(max_length=60, description="batch, as the bag says it")],
    f: Annotated[Literal["json", "html", "jwt", "linkset"] | None, Query(description="representation; by default as Accept says")] = None,
    lang: Annotated[str | None, Query(max_length=20, description="language of the page: ko, en or vi")] = None,
    link_type: Annotated[str | None, Query(alias="linkType", max_length=100, description="`linkset` or `all` for all links")] = None,
) -> Response:  # fmt: skip
    """What the code on a bag leads to: the page for people, the certificate and its links for programs."""
    from twintown.programme import certificate_rows as rows
    from twintown.trust.digital_link import link

    form = "linkset" if link_type in ("linkset", "all") else negotiate(request, OFFERS, f)
    by, now = certifying_of(request, asked), datetime.now(UTC)
    named = link(by.address, gtin, batch)
    files = request.app.router.default
    if form == "html" and isinstance(files, Page):
        return files.show(request, PAGE)  # it says by itself when nothing was certified
    found = rows.of_batch(asked.served.twin.tables, named.gtin, named.batch)
    if form == "jwt":
        return answers.answer(request, found.jwt.encode(), MEDIA, headers=_VARY)
    certificate = CertificateModel.of(found, by, now)
    if form == "linkset":
        return answers.answer(
            request, answers.dumps(_linkset(certificate, by.address)), LINKSET, headers=_VARY
        )
    about = asked.served.twin.description
    bag = BagModel(
        gtin=found.gtin, batch=found.batch, link=certificate.link, restricted=certificate.restricted,
        city=Names.of(about.names), time_zone=about.time_zone, certificate=certificate,
        credential=found.jwt, status_list=f"{by.address}/status-lists/{found.list}",
        status=f"{by.address}/certificates/{found.id}/status", identity=f"{by.address}/did.json",
    )  # fmt: skip
    return answers.answer(request, answers.dumps(bag), "application/json", headers=_VARY)


def _linkset(one: CertificateModel, address: str) -> dict[str, Any]:
    """All links of a lot (RFC 9264, 4.2), the one that a scanner follows by itself as `defaultLink`."""
    page = [
        {"href": f"{one.link}?lang={lang}", "type": "text/html", "hreflang": [lang], "title": title}
        for lang, title in (("ko", "이 봉투 확인하기"), ("en", "Check this bag"), ("vi", "Kiểm tra túi này"))
    ]
    certificate = f"{address}/certificates/{one.id}"
    links = {
        "anchor": one.link,
        f"{_GS1}/defaultLink": [{"href": one.link, "type": "text/html", "title": "Check this bag"}],
        f"{_GS1}/pip": page,
        f"{_GS1}/certificationInfo": [
            {"href": certificate, "type": MEDIA, "title": "Certificate of the lot"}
        ],
        f"{_GS1}/recallStatus": [
            {"href": f"{certificate}/status", "type": "application/json", "title": "Whether it holds"}
        ],
    }
    return {"linkset": [links]}
