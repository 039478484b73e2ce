"""The second factor of who is signed in: begun with the password, confirmed by a code, ended by one. For people at the twin's own page."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from typing import Literal

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import answers, problems, session_cookie
from twintown.api.guard import OnShelf, TwinId
from twintown.api.schemas import Model
from twintown.api.shelf import Served
from twintown.ground.errors import Unauthenticated
from twintown.trust import second_factor, sessions
from twintown.trust.sessions import Session
from twintown.trust.totp_seal import Seal

router = APIRouter(tags=["people"])
_READ = problems.responses(400, 401, 404, 503)
_WRITE = problems.responses(400, 401, 403, 404, 409, 413, 429, 503, 507)
_PATH = "/twins/{twin}/session/second-factor"


class FactorState(Model):
    """What the account of who is signed in has."""

    state: Literal["off", "begun", "on"] = Field(
        description="begun: a secret was shown and is not asked for yet"
    )
    recovery_left: int = Field(description="how many recovery codes can still be used")


class FactorBegin(Model):
    """The password of the account once more."""

    password: str = Field(min_length=1, max_length=200, repr=False)


class FactorBegun(Model):
    """What an authenticator needs, shown this once."""

    secret: str = Field(description="in base 32, to be typed", repr=False)
    address: str = Field(description="the `otpauth` address, to be opened", repr=False)
    qr: str = Field(description="the address as a QR code, to be photographed: an SVG image", repr=False)


class FactorCode(Model):
    """A one-time code; to end a second factor a recovery code does too."""

    code: str = Field(default="", max_length=20, repr=False)


class FactorConfirmed(Model):
    """The recovery codes, shown this once; each signs in once in the place of a one-time code."""

    recovery: list[str] = Field(repr=False)


@router.get(_PATH, operation_id="getSecondFactor", response_model=FactorState, responses=_READ)
def get_second_factor(request: Request, twin: TwinId, opened: OnShelf) -> Response:
    """Whether signing in asks you for a one-time code."""
    served = opened.shelf.get(twin)
    account = _signed_in(request, served).account
    found = second_factor.look(served.twin.tables, account, Seal(served.twin.directory))
    return _answer(request, FactorState(state=found.state, recovery_left=found.left))


@router.post(
    _PATH, operation_id="beginSecondFactor", status_code=201, response_model=FactorBegun, responses=_WRITE
)
def begin_second_factor(request: Request, twin: TwinId, given: FactorBegin, opened: OnShelf) -> Response:
    """Make a secret for an authenticator; nothing is asked for until a code of it was sent to `…/confirmation`."""
    served = opened.shelf.get(twin)
    account = _signed_in(request, served).account
    begun = second_factor.begin(
        served.twin.writing().tables, account, given.password, _place(request), Seal(served.twin.directory), datetime.now(UTC)
    )  # fmt: skip
    served.twin.watch.touch()
    return _answer(
        request, FactorBegun(secret=begun.secret, address=begun.address, qr=_drawn(begun.address)), 201
    )


@router.post(
    f"{_PATH}/confirmation", operation_id="confirmSecondFactor", response_model=FactorConfirmed, responses=_WRITE
)  # fmt: skip
def confirm_second_factor(request: Request, twin: TwinId, given: FactorCode, opened: OnShelf) -> Response:
    """From now on signing in asks for a code. Your other sessions end; the answer holds the recovery codes."""
    served = opened.shelf.get(twin)
    account = _signed_in(request, served).account
    session = sessions.digest_of(request.cookies[answers.SESSION])
    codes = second_factor.confirm(
        served.twin.writing().tables, account, given.code, _place(request), Seal(served.twin.directory),
        datetime.now(UTC), session,
    )  # fmt: skip
    served.twin.watch.touch()
    return _answer(request, FactorConfirmed(recovery=codes))


@router.post(f"{_PATH}/end", operation_id="endSecondFactor", response_model=FactorState, responses=_WRITE)
def end_second_factor(request: Request, twin: TwinId, given: FactorCode, opened: OnShelf) -> Response:
    """Signing in asks for no code any more. What was begun and not confirmed ends without a code."""
    served = opened.shelf.get(twin)
    account = _signed_in(request, served).account
    second_factor.end(
        served.twin.writing().tables, account, given.code, _place(request), Seal(served.twin.directory), datetime.now(UTC)
    )  # fmt: skip
    served.twin.watch.touch()
    return _answer(request, FactorState(state="off", recovery_left=0))


def _signed_in(request: Request, served: Served) -> Session:
    """The session of the caller's cookie. Raises Unauthenticated; Denied: it writes without the session's CSRF token."""
    session_cookie.subject_of(request, served)
    session = session_cookie.found(request, served)
    if session is None:
        raise Unauthenticated("nobody is signed in", served.id, "sign in first: POST …/session")
    return session


def _place(request: Request) -> str:
    return request.client.host if request.client else ""


def _drawn(address: str) -> str:
    """A QR code as SVG, dark on light with the four modules of quiet around it (ISO/IEC 18004)."""
    import segno

    drawn = BytesIO()
    code = segno.make(address, error="m", micro=False)
    code.save(drawn, kind="svg", border=4, dark="#000", light="#fff", omitsize=True, xmldecl=False, nl=False)
    return drawn.getvalue().decode()


def _answer(request: Request, value: object, status: int = 200) -> Response:
    answer = answers.answer_json(request, value, cache="no-store")
    answer.status_code = status
    return answer
