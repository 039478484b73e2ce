"""Labels for bags: the lot's code, what it is and where it grew, to be printed; Korean and English."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from html import escape
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.certificate_models import certifying_of
from twintown.api.guard import Reading
from twintown.ground.errors import BadParameter, NotFound

router = APIRouter(tags=["certificates"])
#: One file with its own style and codes, and nothing from outside.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
#: Most lots of one page of labels.
MOST = 500
_WORDS = {
    "ko": {
        "title": "봉투 라벨", "lot": "로트", "from": "산지", "by": "생산", "until": "증명 기한", "allergens": "알레르기", "none": "없음",
        "scan": "찍어서 진짜인지 확인하세요", "print": "인쇄", "assumed": "예시", "restricted": "제한 유통 번호", "issuer": "증명",
    },
    "en": {
        "title": "Labels for bags", "lot": "Lot", "from": "Grown in", "by": "Produced by", "until": "Certified until",
        "allergens": "Allergens",
        "none": "none", "scan": "Scan to see whether it is real", "print": "Print", "assumed": "example", "restricted": "restricted number",
        "issuer": "Certified by",
    },
}  # fmt: skip
_STYLE = """
:root { color-scheme: light; color: #1c2329;
  font: 10pt/1.35 Pretendard, "Noto Sans KR", "Apple SD Gothic Neo", "Malgun Gothic", system-ui, sans-serif }
body { margin: 0; padding: 8mm; background: #f3f1ec }
header { display: flex; justify-content: space-between; align-items: baseline; margin: 0 0 6mm }
h1 { font-size: 14pt; margin: 0 }
header p { margin: 0; color: #4c565f }
main { display: grid; grid-template-columns: repeat(auto-fill, 86mm); gap: 5mm }
article { box-sizing: border-box; width: 86mm; height: 54mm; padding: 4mm; background: #fff;
  border: .2mm solid #cfc9bd; border-radius: 2mm; display: grid; grid-template-columns: 32mm 1fr;
  gap: 0 4mm; align-content: start; break-inside: avoid; overflow: hidden }
article svg { width: 32mm; height: 32mm; display: block }
.code p { font-size: 6.5pt; margin: 1mm 0 0; text-align: center; color: #4c565f }
h2 { font-size: 13pt; line-height: 1.15; margin: 0 0 1.5mm }
dl { margin: 0; display: grid; grid-template-columns: auto 1fr; gap: .4mm 2mm; font-size: 7.5pt }
dt { color: #5b646b; white-space: nowrap }
dd { margin: 0; overflow-wrap: anywhere }
.tag { font-size: 6.5pt; border: .2mm solid; border-radius: 1mm; padding: 0 1mm; color: #8a5200 }
@page { margin: 8mm }
@media print { body { padding: 0; background: #fff } header { display: none } article { border-color: #999 } }
"""


@lru_cache(4096)
def code_of(text: str) -> str:
    """A QR code as SVG (ISO/IEC 18004), error correction M, with the quiet zone that it needs."""
    import segno

    return str(
        segno.make(text, error="m", micro=False).svg_inline(
            border=4, dark="#1c2329", light="#fff", omitsize=True
        )
    )


@router.get(
    "/twins/{twin}/labels", operation_id="getLabels", response_class=Response,
    responses={
        200: {"description": "labels", "content": {"text/html": {"schema": {"type": "string"}}}},
        **problems.responses(400, 401, 404, 503),
    },
)  # fmt: skip
def get_labels(
    request: Request, asked: Reading,
    lots: Annotated[str, Query(max_length=20_000, description="ids of lots, with commas; all that are certified without it")] = "",
    lang: Annotated[Literal["ko", "en"], Query(description="language")] = "ko",
) -> Response:  # fmt: skip
    """A page of labels to print, one for each lot whose certificate holds."""
    from twintown.programme import certificate_rows as rows
    from twintown.trust.credential import read

    by, now, words = certifying_of(request, asked), datetime.now(UTC), _WORDS[lang]
    wanted = [one.strip() for one in lots.split(",") if one.strip()]
    if len(wanted) > MOST:
        raise BadParameter("lots", f"are {len(wanted)}, at most {MOST} are on one page", remedy="name fewer")
    found = rows.standing(asked.served.twin.tables, now, MOST, wanted)
    if wanted:
        by_lot = {one.lot: one for one in found}
        if missing := [one for one in wanted if one not in by_lot]:
            raise NotFound(f"no certificate stands for lot {missing[0][:80]!r}", "lots", "certify it first")
        found = [by_lot[one] for one in wanted]
    shown = "".join(_label(dict(read(one.jwt).body), lang, by.zone) for one in found[:MOST])
    page = (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{words['title']}</title><style>{_STYLE}</style></head><body><header><h1>{words['title']}</h1>"
        f"<p>{escape(by.name)} · {len(found[:MOST])}</p></header><main>{shown}</main></body></html>"
    )
    headers = {"Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin"}
    return answers.answer(request, page.encode(), "text/html; charset=utf-8", headers=headers)


def _label(body: dict[str, Any], lang: str, zone: ZoneInfo) -> str:
    words, said = _WORDS[lang], body["credentialSubject"]
    product, lot, town = said["product"], said["lot"], said["town"]
    name = lot["names"].get(lang) or product["name"]
    allergens = ", ".join(one["names"].get(lang) or one["code"] for one in said["allergens"]) or words["none"]
    until = datetime.fromisoformat(body["validUntil"]).astimezone(zone).date().isoformat()
    tags = [words["restricted"]] if lot["numberCirculates"] == "restricted" else []
    tags += [words["assumed"]] if said["quantity"]["source"] == "assumed" else []
    rows = {
        words["from"]: town.get(lang) or town["ko"], words["by"]: _part(product["producedByParty"]["name"], lang),
        words["lot"]: f"{product['batchNumber']} · {product['registeredId'].partition('.')[0]}", words["until"]: until,
        words["allergens"]: allergens, words["issuer"]: _part(body["issuer"]["name"], lang),
    }  # fmt: skip
    listed = "".join(f"<dt>{escape(key)}</dt><dd>{escape(str(value))}</dd>" for key, value in rows.items())
    marks = " ".join(f'<span class="tag">{escape(one)}</span>' for one in tags)
    variety = f" {escape(lot['variety'])}" if lot["variety"] else ""
    return (
        f'<article><div class="code">{code_of(product["id"])}<p>{words["scan"]}</p><p>{marks}</p></div>'
        f"<div><h2>{escape(name)}{variety}</h2><dl>{listed}</dl></div></article>"
    )


def _part(text: str, lang: str) -> str:
    """Of a name that is written in both languages the one for this one."""
    return text.split(" / ")[0 if lang == "ko" else -1]
