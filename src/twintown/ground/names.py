"""Names: of people's places (bilingual) and of our own things (identifiers)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import BadSettings

_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
#: Further languages that a name may have beside Korean and English (ISO 639-1).
_LANGUAGE = re.compile(r"[a-z]{2}")


@dataclass(frozen=True)
class Name:
    """A name in Korean and in English, and in further languages where a city has others.

    A place keeps its own script where there is no translation. `more`: pairs of language (ISO 639-1) and name, in their order.
    """

    ko: str
    en: str
    more: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, value: object, where: str = "name") -> Name:
        """From a string (the same in all languages) or a mapping of languages: `ko`, `en`, and others such as `vi`.

        What has neither Korean nor English is called there by what it is called at home.

        Raises:
            BadSettings: no language is given, or a key is none.
        """
        if isinstance(value, Name):
            return value
        if isinstance(value, str) and value:
            return cls(value, value)
        if isinstance(value, dict):
            more = {key: text for key, text in value.items() if key not in ("ko", "en")}
            own = next(iter(more.values()), None)
            ko, en = value.get("ko") or value.get("en") or own, value.get("en") or value.get("ko") or own
            if isinstance(ko, str) and isinstance(en, str) and ko and en and all(map(_is_text, more.items())):
                return cls(ko, en, tuple(sorted(more.items())))
        raise BadSettings(
            f"a name is a text or {{ ko = …, en = … }}, not {value!r}", where,
            "give at least one of ko, en, or another language by its two letters",
        )  # fmt: skip

    def __getitem__(self, lang: str) -> str:
        """The name in a language; in English where it has none in it."""
        return self.ko if lang == "ko" else dict(self.more).get(lang, self.en)

    def to_dict(self) -> dict[str, str]:
        """By language: `ko`, `en`, and what there is more."""
        return {"ko": self.ko, "en": self.en, **dict(self.more)}


def _is_text(pair: tuple[object, object]) -> bool:
    language, text = pair
    return (
        isinstance(language, str)
        and bool(_LANGUAGE.fullmatch(language))
        and isinstance(text, str)
        and bool(text)
    )


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
