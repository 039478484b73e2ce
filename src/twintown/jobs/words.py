"""What a verdict says to people, in both languages."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from twintown.jobs.differences import Difference
from twintown.trust.proof import Finding

Words: TypeAlias = Mapping[str, str]
#: The finding of a signature that fits the enclosed key only.
ENCLOSED = Finding("enclosed", "the key is the one that is enclosed; that it is the city's was not looked up")
#: Why a result cannot be repeated, by the code of the finding.
CANNOT: dict[str, tuple[str, str]] = {
    "unreadable": ("증거 파일을 읽을 수 없습니다", "The package cannot be read"),
    "manifest-malformed": ("증거의 형식을 알 수 없습니다", "The manifest is of another form"),
    "process-not-here": ("이 계산 방법이 여기에는 없습니다", "The process is not here"),
    "process-broken": (
        "이 계산 방법을 여기서 불러올 수 없습니다",
        "The process is here and cannot be loaded",
    ),
    "version-not-here": ("이 판의 계산 방법이 여기에는 없습니다", "This version of the process is not here"),
    "kernel-not-here": (
        "결과를 계산한 판의 코드가 여기에는 없습니다",
        "The version of the code that made it is not here",
    ),
    "other-outputs": ("여기의 계산 방법은 이 결과를 내지 않습니다", "The process here gives other outputs"),
    "input-missing": ("입력 자료가 없습니다", "An input is missing"),
    "input-damaged": ("입력 자료가 손상되었습니다", "An input is damaged"),
    "input-content": ("입력 자료의 내용이 적힌 것과 다릅니다", "An input is not what the manifest states"),
    "question-refused": ("계산 방법이 이 질문을 받지 않습니다", "The process refuses the question"),
    "process-failed": ("계산이 실패했습니다", "The computation failed"),
    "too-large": ("여기서 다시 계산하기에는 너무 큽니다", "It is too large to be repeated here"),
}
#: How a command ends that verifies.
STATUS = {"same": 0, "within-error": 0, "different": 1, "cannot": 2}
_SIGN = {
    "same": "✓ same",
    "within-error": "≈ same within error",
    "different": "✗ different",
    "cannot": "? cannot be repeated",
}
_VERDICT = {
    "same": ("모든 값이 같습니다", "Every value is the same"),
    "within-error": ("차이가 방법의 오차 안에 있습니다", "The differences are within the method's error"),
    "different": ("다른 값이 나왔습니다", "Other values came out"),
}


def cannot(reason: Finding) -> Words:
    """Why a result cannot be repeated."""
    ko, en = CANNOT.get(reason.code, ("다시 계산할 수 없습니다", "It cannot be repeated"))
    return {"ko": f"{ko}: {reason.what}", "en": f"{en}: {reason.what}"}


def summary(verdict: str, outputs: Sequence[Difference]) -> Words:
    """A verdict in a sentence, with the largest difference where there is one."""
    ko, en = _VERDICT[verdict]
    measured = [one for one in outputs if one.largest is not None]
    count = sum(one.differing for one in outputs)
    if verdict == "same" or not count:
        return {"ko": f"{ko}.", "en": f"{en}."}
    ko, en = f"{ko}: {count:,}개 값", f"{en}: {count:,} values"
    if measured:
        worst = max(measured, key=lambda one: one.largest or 0.0)
        said = f"{worst.largest:.4g} {worst.unit}"
        ko, en = f"{ko}, 가장 큰 차이 {said}", f"{en}, {said} at most"
    return {"ko": f"{ko}.", "en": f"{en}."}


def lines(told: Mapping[str, Any], name: str, as_json: bool = False) -> list[tuple[str, str | None]]:
    """A verdict for a terminal: the first line says it all; each with a colour, or none. Or all of it as JSON."""
    if as_json:
        return [(json.dumps(told, ensure_ascii=False, indent=2), None)]
    verdict, signature = told["verdict"], told["signature"]
    signed = (
        "signed"
        if signature["good"] and signature["by"] != "enclosed"
        else "signed with the enclosed key"
        if signature["good"]
        else "SIGNATURE BAD"
    )
    codes = {one["code"] for one in signature["findings"]}
    if codes & {"no-proof", "no-keys"}:
        signed = "not signed" if "no-proof" in codes else "signature not checked"
    colour = {"same": "green", "within-error": "green", "different": "red", "cannot": "bright_black"}[verdict]
    if verdict in ("same", "within-error") and not signature["good"]:
        colour = "yellow"
    city = (
        str((told["city"].get("name") or {}).get("en", "?"))[:80]
        if isinstance(told["city"].get("name"), Mapping)
        else "?"
    )
    said: list[tuple[str, str | None]] = [(f"{_SIGN[verdict]} · {signed} · {name}", colour)]
    said.append((f"  {told['what']['en']}", None))
    if told["process"]:
        said.append((f"  {told['process'][:64]} of {city}, question {told['question'][7:19]}…", None))
    if signature["did"]:
        said.append((f"  by {signature['did'][:200]}", None))
    said += [(f"  signature: {one['what']}", None) for one in signature["findings"]]
    for one in told["outputs"]:
        said.append((f"  {one['output']}: {_SIGN[one['verdict']]}{_amount(one)}", None))
    apart = [
        f"{part} {pair['there'] or '?'} there, {pair['here']} here"
        for part, pair in told["code"].items()
        if pair["there"] != pair["here"]
    ]
    said += [(f"  {line}", None) for line in apart]
    said += [(f"  {one['en']}", None) for one in told["notes"]]
    return [(_printable(text), colour) for text, colour in said]


def _amount(one: Mapping[str, Any]) -> str:
    if one["verdict"] == "same":
        return f" ({one['found'][:19]}…)"
    parts = [one["what"]] if one["what"] else []
    if one["count"]:
        parts.append(f"{one['count']:,} of {one['of']:,} values")
    if one["max_difference"] is not None:
        parts.append(f"at most {one['max_difference']:.4g} {one['unit']}")
    where = one["where"] or {}
    if "lon" in where:
        parts.append(f"there {where['lat']:.6f}, {where['lon']:.6f}")
    for key in ("row", "col", "id", "column", "time"):
        if key in where:
            parts.append(f"{key} {str(where[key])[:60]}")
    if "expected" in where:
        parts.append(f"{where['found']} and not {where['expected']}")
    return f": {', '.join(parts)}" if parts else ""


def _printable(text: str) -> str:
    """Nothing that a stranger wrote moves the cursor."""
    return "".join(sign if sign.isprintable() else "�" for sign in text)
