from __future__ import annotations

from pathlib import Path

import pytest

from twintown.ground.errors import BadSettings
from twintown.settings import read_settings


def test_the_command_line_goes_before_the_environment() -> None:
    environment = {"TWINTOWN_PORT": "9000", "TWINTOWN_HOST": "::1", "TWINTOWN_TWINS": "a:b", "HOME": "/"}
    settings = read_settings(environment)
    assert (settings.port, settings.host, settings.twins) == (9000, "::1", (Path("a"), Path("b")))
    assert read_settings(environment, port=1234, twins=["c"]).port == 1234
    assert read_settings(environment, port=0).port == 0


def test_every_twin_has_its_own_place_in_a_bucket() -> None:
    assert read_settings({}).blobs_of("jamsil") == ""
    assert read_settings({"TWINTOWN_BLOB_URL": "s3://city"}).blobs_of("jamsil") == "s3://city/jamsil"
    assert read_settings({"TWINTOWN_BLOB_URL": "s3://{twin}/x"}).blobs_of("jamsil") == "s3://jamsil/x"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [("PORT", "high", "not a number"), ("WORKERS", "0", "out of range"), ("WEB", "nowhere", "index.html")],
)
def test_a_bad_value_names_its_variable(name: str, value: str, says: str) -> None:
    with pytest.raises(BadSettings, match=says) as caught:
        read_settings({f"TWINTOWN_{name}": value})
    assert f"TWINTOWN_{name}" in caught.value.where


def test_https_needs_a_certificate_and_its_key_and_shows_in_the_address(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.write_text("c"), key.write_text("k")
    with pytest.raises(BadSettings, match="TWINTOWN_TLS_KEY: is missing"):
        read_settings({"TWINTOWN_TLS_CERT": str(cert)})
    with pytest.raises(BadSettings, match="no such file"):
        read_settings({"TWINTOWN_CA": str(tmp_path / "none.pem")})
    found = read_settings(
        {"TWINTOWN_TLS_CERT": str(cert), "TWINTOWN_TLS_KEY": str(key), "TWINTOWN_PORT": "8443"}
    )
    assert (found.scheme, found.public_url) == ("https", "https://127.0.0.1:8443")
    assert read_settings({}).public_url == "http://127.0.0.1:8000"
