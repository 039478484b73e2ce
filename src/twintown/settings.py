"""What an installation chooses, read here and nowhere else: options of the command line, then TWINTOWN_* variables.

TWINTOWN_DATABASE_URL      where the rows are          (default: state.db in each twin's directory)
TWINTOWN_BLOB_URL          where the bytes are         (default: the twin's directory; {twin} is replaced by its id)
TWINTOWN_HOST, _PORT       where the server listens    (127.0.0.1, 8000)
TWINTOWN_WORKERS           server processes            (1)
TWINTOWN_TWINS             directories to serve, separated like PATH
TWINTOWN_OWNER_TOKEN_FILE  the owner's token           (default: owner.token in each twin's directory)
TWINTOWN_CALLBACKS         hosts that callbacks go to and inputs are fetched from, joined by commas; * any public one (none)
TWINTOWN_KEEPER            on | off: whether `serve` works on jobs by itself (on; off where `twintown keep` does)
TWINTOWN_KEEPER_WORKERS    processes that work on jobs, at most   (2)
TWINTOWN_PUBLIC_URL        where the server is to the world: in signatures, did:web and codes on paper   (http://HOST:PORT)
TWINTOWN_TLS_CERT, _KEY    files of the server's certificate (with its chain) and key: it speaks https   (none: http)
TWINTOWN_CA                file of the authorities whose certificates other cities may show   (the usual public ones)
TWINTOWN_DASK_URL          scheduler of a Dask cluster for large questions, tcp://…   (none: this machine)
TWINTOWN_DSP_TEST          on | anywhere: the test profile of the Dataspace Protocol: any caller, seeded names, nothing real; on this
                           machine only unless anywhere is said   (off)
TWINTOWN_WEB               the built page              (default: web/dist of the clone, or the packaged one)
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from twintown.ground.errors import BadSettings

_KNOWN = (
    "DATABASE_URL", "BLOB_URL", "HOST", "PORT", "WORKERS", "TWINS", "OWNER_TOKEN_FILE",
    "WEB", "CALLBACKS", "KEEPER", "KEEPER_WORKERS", "DASK_URL", "PUBLIC_URL", "TLS_CERT", "TLS_KEY", "CA", "DSP_TEST",
    "ACCESS_DAYS",
)  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """An installation's choices, checked."""

    twins: tuple[Path, ...] = ()
    database_url: str = ""
    blob_url: str = ""
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    owner_token_file: Path | None = None
    web: Path | None = None
    callbacks: str = ""
    keeper: bool = True
    keeper_workers: int = 2
    dask_url: str = ""
    #: Without a slash at its end.
    public_url: str = "http://127.0.0.1:8000"
    #: PEM files of the server's certificate and key; both or none.
    tls_cert: Path | None = None
    tls_key: Path | None = None
    #: PEM file of the authorities that are trusted when others are asked; none: the usual public ones.
    ca: Path | None = None
    #: How long lines of the access log are kept, days.
    access_days: int = 30
    #: Whether any caller is taken at the protocol's end points, and nothing real lies behind them.
    dsp_test: bool = False

    @property
    def scheme(self) -> str:
        """What the server speaks: https where it has a certificate."""
        return "https" if self.tls_cert else "http"

    def blobs_of(self, twin: str) -> str:
        """The blob URL of one twin, "" for its own directory."""
        if not self.blob_url or "{twin}" in self.blob_url:
            return self.blob_url.replace("{twin}", twin)
        return f"{self.blob_url.rstrip('/')}/{twin}"


def read_settings(
    environment: Mapping[str, str] | None = None,
    *,
    twins: Sequence[Path | str] | None = None,
    host: str | None = None,
    port: int | None = None,
    workers: int | None = None,
) -> Settings:
    """Settings from TWINTOWN_* of `environment` (the process's own by default); what is given here goes before.

    Raises BadSettings: an unknown TWINTOWN_ variable, a number out of range.
    """
    found = os.environ if environment is None else environment
    for name in found:
        if name.startswith("TWINTOWN_") and name.removeprefix("TWINTOWN_") not in _KNOWN:
            raise BadSettings(
                "is not a setting", name, f"known are {', '.join('TWINTOWN_' + one for one in _KNOWN)}"
            )

    def value(name: str) -> str:
        return found.get(f"TWINTOWN_{name}", "").strip()

    named = tuple(Path(one) for one in value("TWINS").split(os.pathsep) if one)
    cert, key = _file(value("TLS_CERT"), "TWINTOWN_TLS_CERT"), _file(value("TLS_KEY"), "TWINTOWN_TLS_KEY")
    if (cert is None) != (key is None):
        missing = "TWINTOWN_TLS_KEY" if key is None else "TWINTOWN_TLS_CERT"
        raise BadSettings("is missing", missing, "https needs the certificate and its key")
    return Settings(
        twins=tuple(Path(one) for one in twins) if twins is not None else named,
        database_url=value("DATABASE_URL"),
        blob_url=value("BLOB_URL"),
        host=host or value("HOST") or "127.0.0.1",
        port=_number(port if port is not None else value("PORT"), "TWINTOWN_PORT", 8000, 65535, lowest=0),
        workers=_number(
            workers if workers is not None else value("WORKERS"), "TWINTOWN_WORKERS", 1, 64, lowest=1
        ),
        access_days=_number(value("ACCESS_DAYS"), "TWINTOWN_ACCESS_DAYS", 30, 3650, lowest=1),
        owner_token_file=Path(value("OWNER_TOKEN_FILE")) if value("OWNER_TOKEN_FILE") else None,
        web=_page(value("WEB")),
        callbacks=value("CALLBACKS"),
        keeper=_switch(value("KEEPER"), "TWINTOWN_KEEPER"),
        keeper_workers=_number(value("KEEPER_WORKERS"), "TWINTOWN_KEEPER_WORKERS", 2, 256, lowest=1),
        dask_url=value("DASK_URL"),
        public_url=_address(
            value("PUBLIC_URL"),
            host or value("HOST"),
            port if port is not None else value("PORT"),
            "https" if cert else "http",
        ),
        tls_cert=cert,
        tls_key=key,
        ca=_file(value("CA"), "TWINTOWN_CA"),
        dsp_test=_rehearsed(value("DSP_TEST").lower(), host or value("HOST") or "127.0.0.1"),
    )


def _rehearsed(said: str, host: str) -> bool:
    """Whether the test profile runs. Raises BadSettings: others could reach it, and nobody has said that they may."""
    if said not in ("", "off", "on", "anywhere"):
        raise BadSettings(f"{said!r} is no choice", "TWINTOWN_DSP_TEST", "write on, off or anywhere")
    if said == "on" and host not in ("127.0.0.1", "::1", "localhost"):
        what = f"the test profile takes any caller, and {host} can be reached by others"
        raise BadSettings(what, "TWINTOWN_DSP_TEST", "listen on 127.0.0.1, or say anywhere if that is meant")
    return said in ("on", "anywhere")


def _file(said: str, name: str) -> Path | None:
    """A file that somebody names. Raises BadSettings: it is not there."""
    if said and not Path(said).is_file():
        raise BadSettings("there is no such file", f"{name}={said}", "give the path of a PEM file")
    return Path(said).resolve() if said else None


def _address(said: str, host: str | None, port: int | str, scheme: str) -> str:
    """Where the server is to the world; on this machine where nobody says. Raises BadSettings."""
    if not said:
        name = "127.0.0.1" if not host or host in ("0.0.0.0", "::") else host
        return f"{scheme}://{f'[{name}]' if ':' in name else name}:{port or 8000}"
    if not said.startswith(("http://", "https://")) or "@" in said:
        raise BadSettings(f"{said!r} is no address", "TWINTOWN_PUBLIC_URL", "write https://twin.example.org")
    return said.rstrip("/")


def _switch(value: str, name: str) -> bool:
    if value.lower() not in ("", "on", "off"):
        raise BadSettings(f"{value!r} is neither on nor off", name, "write on or off")
    return value.lower() != "off"


def _number(value: str | int, name: str, default: int, highest: int, lowest: int) -> int:
    if value == "":
        return default
    try:
        number = int(value)
    except ValueError as error:
        raise BadSettings(
            f"{value!r} is not a number", name, f"give one from {lowest} to {highest}"
        ) from error
    if not lowest <= number <= highest:
        raise BadSettings(f"{number} is out of range", name, f"give one from {lowest} to {highest}")
    return number


def _page(named: str) -> Path | None:
    if named:
        if not (Path(named) / "index.html").is_file():
            raise BadSettings(
                "holds no index.html", f"TWINTOWN_WEB={named}", "build the page first (make demo does)"
            )
        return Path(named)
    here = Path(__file__).resolve()
    for place in (here.parent / "page", here.parents[2] / "web" / "dist"):
        if (place / "index.html").is_file():
            return place
    return None
