"""Texts of a column: without case, without accents, and by pattern."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from .tokens import bad

_ALL_ASCII = 127


def is_text(value: Any) -> bool:
    """Whether a column or a scalar holds texts."""
    return bool(pa.types.is_string(value.type) or pa.types.is_large_string(value.type))


def changed(value: Any, change: Callable[[str], str]) -> Any:
    """Every different text changed once."""
    if not is_text(value):
        raise bad("CASEI and ACCENTI work on texts")
    if isinstance(value, pa.Scalar):
        return pa.scalar(change(value.as_py())) if value.is_valid else value
    if change is without_accents and pc.all(pc.string_is_ascii(value)).as_py() in (True, None):
        return value
    if pc.all(pc.string_is_ascii(value)).as_py() in (True, None):
        return pc.ascii_lower(value)
    coded = value.dictionary_encode()
    distinct = pa.array([change(text) for text in coded.dictionary.to_pylist()], value.type)
    return distinct.take(coded.indices)


@lru_cache(maxsize=65536)
def without_accents(text: str) -> str:
    """The text without combining marks (Unicode general category Mn), in normal form C; Hangul stays whole."""
    apart = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(sign for sign in apart if unicodedata.category(sign) != "Mn"))


@lru_cache(maxsize=512)
def regex(pattern: str) -> str:
    r"""The regular expression (RE2) of a LIKE pattern: % is any text, _ is one character, \ takes what follows as it is."""
    out, signs = [], iter(pattern)
    for sign in signs:
        if sign == "%":
            out.append(".*")
        elif sign == "_":
            out.append(".")
        else:
            sign = next(signs, "\\") if sign == "\\" else sign
            out.append(sign if sign.isalnum() or ord(sign) > _ALL_ASCII else f"\\x{{{ord(sign):x}}}")
    return f"(?s)\\A{''.join(out)}\\z"
