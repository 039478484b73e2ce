"""Names: of people's places (bilingual) and of our own things (identifiers)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import BadSettings

_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Name:
    """A name in Korean and in English; a place keeps its own script where there is no translation."""

    ko: str
    en: str

    @classmethod
    def of(cls, value: object, where: str = "name") -> Name:
        """From a string (the same in both languages) or a mapping with `ko` and/or `en`.

        Raises:
            BadSettings: neither language is given.
        """
        if isinstance(value, Name):
            return value
        if isinstance(value, str) and value:
            return cls(value, value)
        if isinstance(value, dict):
            ko, en = value.get("ko") or value.get("en"), value.get("en") or value.get("ko")
            if isinstance(ko, str) and isinstance(en, str):
                return cls(ko, en)
        raise BadSettings(
            f"a name is a text or {{ ko = …, en = … }}, not {value!r}", where, "give at least one of ko, en"
        )

    def __getitem__(self, lang: str) -> str:
        """The name in `ko` or `en`."""
        return self.ko if lang == "ko" else self.en

    def to_dict(self) -> dict[str, str]:
        return {"ko": self.ko, "en": self.en}


def check_id(text: str, where: str = "id") -> str:
    """The text itself when it can be an identifier: lower-case words joined by hyphens, at most 64 characters.

    Raises:
        BadSettings: it cannot (identifiers become folder names and parts of addresses).
    """
    if not isinstance(text, str) or len(text) > 64 or not _ID.fullmatch(text):
        raise BadSettings(
            f"{text!r} cannot be an identifier",
            where,
            "use a-z, 0-9 and single hyphens, at most 64 characters",
        )
    return text
