"""What the routes of certificates share: how one is said, and what this server checks one by."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from fastapi import Request
from pydantic import Field

from twintown.api.exchange_models import meaning
from twintown.api.guard import Asked
from twintown.api.schemas import Model
from twintown.ground.errors import NotFound

if TYPE_CHECKING:
    from twintown.programme.certificate import Certifying
    from twintown.programme.certificate_check import Seen
    from twintown.programme.certificate_rows import Kept
    from twintown.trust.digital_link import LotLink
    from twintown.trust.ledger_proof import Opened


class CertificateModel(Model):
    """A certificate in short."""

    id: str
    lot: str
    gtin: str
    batch: str
    digest: str = Field(description="SHA-256 of the certificate, hexadecimal")
    state: Literal["valid", "expired", "revoked"]
    issued: datetime
    until: datetime
    revoked: datetime | None
    why: str = Field(description="why it was revoked")
    ledger: int = Field(description="its entry in the ledger")
    status_list: str = Field(description="id of the status list that it has a place in")
    link: str = Field(description="what the code on the bag holds (GS1 Digital Link)")
    restricted: bool = Field(
        description="whether its GTIN is for restricted circulation: nobody's in the world"
    )

    @classmethod
    def of(cls, one: Kept, by: Certifying, now: datetime) -> CertificateModel:
        """As it is sent."""
        from twintown.trust.digital_link import LotLink, restricted

        return cls(
            id=one.id, lot=one.lot, gtin=one.gtin, batch=one.batch, digest=one.digest, issued=one.issued, until=one.until,
            state="revoked" if one.revoked else "valid" if one.stands(now) else "expired", revoked=one.revoked, why=one.why,
            ledger=one.ledger, status_list=one.list, link=LotLink(by.address, one.gtin, one.batch).url,
            restricted=restricted(one.gtin),
        )  # fmt: skip


class CheckModel(Model):
    """One question and its answer."""

    of: Literal["issuer", "signature", "lot", "dates", "status", "ledger"]
    state: Literal["good", "bad", "unknown"]
    why: str = Field(description="a code where it is not good")
    what: str


def certifying_of(request: Request, asked: Asked) -> Certifying:
    """The twin that is asked as who certifies."""
    from twintown.programme.certificates import certifying

    twin = asked.served.twin
    base = str(request.app.state.public_url).rstrip("/")
    return certifying(twin, meaning(request).did(twin), f"{base}/twins/{asked.served.id}")


def seen_of(asked: Asked, by: Certifying, one: Kept, link: LotLink | None, now: datetime) -> Seen:
    """What this server has to check a certificate of its own by."""
    from twintown.programme.certificate_check import Seen
    from twintown.programme.certificates import signed_list
    from twintown.trust.checkpoints import origin_of
    from twintown.trust.keyring import own_keys

    twin = asked.served.twin
    status = ""
    with suppress(NotFound):
        status = signed_list(twin, by, one.list, now)
    keys = [key.known for key in own_keys(twin)]
    return Seen(by.did, keys, link, status, opened(asked, by, one), origin_of(by.address))


def opened(asked: Asked, by: Certifying, one: Kept) -> Opened | None:
    """The ledger's entry of a certificate for everybody: all that it says stands on the bag. None while the tree has it not."""
    from twintown.programme.certificate_rows import entry_of
    from twintown.trust.ledger_known import ledger_of
    from twintown.trust.ledger_proof import Opened, prove

    twin = asked.served.twin
    base = by.address.rpartition("/twins/")[0]
    with suppress(NotFound):
        return Opened.of(prove(ledger_of(twin, base), one.ledger), entry_of(twin.tables, one))
    return None
