"""Dataspace Protocol 2025-1, section 4.3: which version is spoken, and where (MET)."""

from __future__ import annotations

from typing import Any

import pytest

from twintown.exchange import schemas


@pytest.mark.parametrize(
    ("root", "path"), [("", "/twins/small/dsp"), ("/twins/small", "/dsp"), ("/twins/small/dsp", "/")]
)
def test_met_01_01_the_version_is_said_with_its_path_and_binding(dsp: Any, root: str, path: str) -> None:
    answer = dsp.get(f"{root}/.well-known/dspace-version")
    assert answer.status_code == 200
    said = answer.json()
    schemas.check(said, "")
    [version] = [one for one in said["protocolVersions"] if one["version"] == "2025-1"]
    assert (version["path"], version["binding"]) == (path, "HTTPS")


def test_the_version_of_a_twin_that_is_not_here_is_not_found(dsp: Any) -> None:
    assert dsp.get("/twins/nowhere/.well-known/dspace-version").status_code == 404
