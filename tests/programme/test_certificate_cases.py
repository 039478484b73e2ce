"""The table of certificates as they may come: what this server says of each; `web/tests/proof.cases.test.ts` asks the page the same."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from tests.programme.certificate_cases import DID, LINK, NOW, TABLE, Row, rows, table

from twintown.programme.certificate_check import Seen, check
from twintown.trust.credential import moment
from twintown.trust.did import KnownKey
from twintown.trust.digital_link import parse


def when(said: str | None) -> datetime | None:
    return None if said is None else moment(said, "at")


KEYS = [
    KnownKey(one["public"], None, when(one.get("retired")), when(one.get("revoked")))
    for one in table()["keys"]
]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_it_is_called_by_its_name(row: Row) -> None:
    _, jwt, status, why = row
    found = check(jwt, Seen(DID, KEYS, parse(LINK), status), moment(NOW, "now"))
    assert found.why == (why or "ledger-unknown")
    bad = why not in ("", "status-unknown", "status-old")
    assert found.state == ("bad" if bad else "unknown")


def test_the_table_that_the_page_reads_is_this_one() -> None:
    kept, made = json.loads(TABLE.read_text(encoding="utf-8")), table()
    for said in (
        kept,
        made,
    ):  # how bits are packed differs from one zlib to the next, and the signatures with it
        said["cases"] = [(one["name"], one["why"]) for one in said["cases"]]
        del said["status"]
    assert kept == made, "python -m tests.programme.certificate_cases"
