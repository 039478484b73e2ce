"""The pages of a report: the same sheet as HTML that needs no other file, and as PDF.

A sheet is JSON: title, twin, lang, words, sides, views, results, affected, method, sources, seal; its pictures are files beside it.
"""

from __future__ import annotations

import base64
import tempfile
import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from twintown.ground.errors import NotPossible

HERE = Path(__file__).parent
FAMILY = "Pretendard"
_TYPES = {".svg": "image/svg+xml", ".png": "image/png"}
#: Where the page's build puts the fonts that a PDF is set in.
FONTS = "fonts"


@lru_cache(maxsize=1)
def _words() -> Mapping[str, Mapping[str, str]]:
    with (HERE / "report_words.toml").open("rb") as file:
        return tomllib.load(file)


def words(lang: str) -> Mapping[str, str]:
    """The words of a report in `ko` or `en`."""
    return _words()[lang]


def to_html(sheet: Mapping[str, Any], files: Mapping[str, bytes]) -> str:
    """The report as one HTML file; pictures are within it. `<!--state-->` and `<!--links-->` are left for whoever serves it."""
    import jinja2

    names = {
        name: f"data:{_TYPES[Path(name).suffix]};base64,{base64.b64encode(data).decode()}"
        for name, data in files.items()
    }
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    template = environment.from_string((HERE / "report.html.j2").read_text(encoding="utf-8"))
    style = (HERE / "report.css").read_text(encoding="utf-8")
    return template.render(sheet=sheet, w=sheet["words"], files=names, style=_plain(style))


def _plain(style: str) -> object:
    import markupsafe

    return markupsafe.Markup(style)


def to_pdf(sheet: Mapping[str, Any], files: Mapping[str, bytes], fonts: Path | None, at: datetime) -> bytes:
    """The report as a tagged PDF.

    Args:
        fonts: a folder with Pretendard as OTF or TTF; without one the fonts of the system are looked through.
        at: when the report was made; nothing else in the file tells the time.

    Raises:
        NotPossible: no font with Hangul is there.
    """
    import typst

    places = [fonts] if fonts is not None and fonts.is_dir() else []
    known = typst.Fonts(include_system_fonts=True, font_paths=[str(one) for one in places])
    if not {FAMILY, "Noto Sans KR", "Noto Sans CJK KR"} & set(known.families()):
        raise NotPossible(
            "a PDF needs a font with Hangul, and none is here",
            str(fonts or "fonts"),
            "build the page once (make web), or install Noto Sans CJK KR; the HTML is there",
        )
    with tempfile.TemporaryDirectory(prefix="twintown-report-") as folder:
        room = Path(folder)
        for name, data in files.items():
            (room / name).write_bytes(data)
        (room / "sheet.json").write_bytes(orjson.dumps(sheet))
        (room / "report.typ").write_bytes((HERE / "report.typ").read_bytes())
        made: bytes = typst.compile(
            str(room / "report.typ"),
            root=folder,
            font_paths=known,
            timestamp=int(at.timestamp()),
            format="pdf",
        )
    return made


def qr(address: str) -> bytes:
    """A QR code of an address as SVG (ISO/IEC 18004, error correction Q)."""
    import io

    import segno

    out = io.BytesIO()
    segno.make(address, error="q", micro=False).save(
        out, kind="svg", scale=4, border=2, dark="#1c2329", light="#ffffff", xmldecl=False, svgns=True
    )
    return out.getvalue()
