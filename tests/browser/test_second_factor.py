"""A person signs in in the page, sets up a second factor with an authenticator, signs in with it, and takes it away; in both languages."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
from tests.api.conftest import write_twin

from twintown.trust.accounts import add_account
from twintown.twin.layers import Twin

from .conftest import REPOSITORY, serving

pytestmark = pytest.mark.slow
#: The built page; read before the tests forget the settings of who runs them.
WEB = Path(os.environ.get("TWINTOWN_WEB", REPOSITORY / "web" / "dist"))
PASSWORD = "seven tall zelkova trees"


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Address of a server of a tiny twin at which Kim has an account."""
    if not (WEB / "index.html").exists():
        pytest.skip("the page is not built: make web")
    folder = write_twin(tmp_path / "small")
    tables = Twin.open(folder, read_only=False).tables
    add_account(tables, "Kim", ["partner"], PASSWORD, datetime.now(UTC))
    tables.engine.dispose()
    with serving(folder, settings={"TWINTOWN_WEB": str(WEB)}) as address:
        yield address


def sign_in(page: Any, code: str = "") -> None:
    page.fill("form.sign input[autocomplete=username]", "Kim")
    page.fill("form.sign input[type=password]", PASSWORD)
    page.fill("form.sign input[autocomplete=one-time-code]", code)
    page.keyboard.press("Enter")


def code_of(secret: str, later_s: int = 0) -> str:
    return str(pyotp.TOTP(secret).at(datetime.now(UTC) + timedelta(seconds=later_s)))


@pytest.mark.parametrize(("lang", "width"), [("ko", 1440), ("en", 390)])
def test_a_second_factor_is_set_up_used_and_taken_away_in_the_page(
    visit: Callable[..., Any], lang: str, width: int
) -> None:
    one = visit(f"?twin=small&lang={lang}&lite=1&partners=", width=width, height=900)
    page = one.page
    page.wait_for_selector("form.sign")
    sign_in(page)
    page.click('[data-act="second-factor"]')
    page.fill('[data-part="second-factor"] input[name=password]', "wrong password!")
    page.click('[data-act="begin"]')
    page.wait_for_selector('[data-part="second-factor"] [role=alert]')
    page.fill('[data-part="second-factor"] input[name=password]', PASSWORD)
    page.click('[data-act="begin"]')
    # the code to photograph is a picture that stands, and the secret beside it says the same
    page.wait_for_function("() => document.querySelector('img.qr')?.naturalWidth > 0")
    secret = page.inner_text("[data-secret]").replace(" ", "")
    assert one.faults() == []
    one.shot(f"second-factor-begun-{lang}-{width}")
    page.fill('[data-part="second-factor"] input[name=code]', code_of(secret))
    page.click('[data-act="confirm"]')
    page.wait_for_selector("[data-recovery] li")
    codes = page.locator("[data-recovery] li").all_inner_texts()
    assert len(set(codes)) == 8 and one.faults() == []
    one.shot(f"second-factor-recovery-{lang}-{width}")
    page.click('[data-act="kept"]')
    page.wait_for_selector('[data-act="remove"]')
    assert page.locator("[data-recovery]").count() == 0 and secret not in page.content()
    assert one.faults() == []
    one.shot(f"second-factor-on-{lang}-{width}")
    # signing in asks for it
    page.click('[data-act="sign-out"]')
    page.wait_for_selector("form.sign")
    sign_in(page)
    page.wait_for_selector("form.sign [role=alert]")
    assert one.faults() == []
    sign_in(page, codes[4])
    page.click('[data-act="second-factor"]')
    page.fill('[data-part="second-factor"] input[name=code]', code_of(secret, 30))
    page.keyboard.press("Enter")
    page.wait_for_selector('[data-act="begin"]')
    assert page.inner_text('[data-part="second-factor"] [role=status]')
    refused = [line for line in one.complaints if "40" not in line]  # the browser says each 401 and 403
    assert refused == []
