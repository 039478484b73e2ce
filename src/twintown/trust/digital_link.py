"""The address in the code on a bag: a GS1 Digital Link of a lot, `https://host/twins/icheon/01/{GTIN}/10/{batch}`. Pure.

GS1 Digital Link Standard: URI Syntax 1.2, section 4; GS1 General Specifications, sections 3.2 (AI 01), 3.4.2 (AI 10), 7.9.1 (check
digit), 7.11 (character set 82) and 1.4.5 (GS1 prefixes 02, 04 and 20 to 29 are for restricted circulation: such a number is unique
within a region or company only, belongs to nobody in the world, and is no licence of GS1).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from twintown.ground.errors import BadParameter

#: Characters that a batch may have (GS1 General Specifications, table 7.11-1).
SET_82 = frozenset("!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
#: Longest batch, characters, and lengths that a GTIN may be written in.
LONGEST, LENGTHS = 20, (8, 12, 13, 14)
_PATH = re.compile(r"(.*)/01/([0-9]{1,14})/10/([^/?#]+)/?")


@dataclass(frozen=True, slots=True)
class LotLink:
    """A lot as its code names it.

    Attributes:
        base: address that the link lies under, without a slash at its end.
        gtin: 14 digits, with a check digit that fits.
        batch: as it is said, not as an address writes it.
    """

    base: str
    gtin: str
    batch: str

    @property
    def url(self) -> str:
        """The address, as a code holds it."""
        return f"{self.base}/01/{self.gtin}/10/{quote(self.batch, safe='')}"

    @property
    def canonical(self) -> str:
        """The same lot's address at GS1 (`id.gs1.org`): its name in the world, where the number is one of the world."""
        return f"https://id.gs1.org/01/{self.gtin}/10/{quote(self.batch, safe='')}"


def check_digit(digits: str) -> str:
    """The digit that goes behind these: to three times those at odd places from the right and once the others, what is missing to ten."""
    total = sum(int(one) * (3 if place % 2 == 0 else 1) for place, one in enumerate(reversed(digits)))
    return str(-total % 10)


def gtin14(text: str, name: str = "gtin") -> str:
    """A GTIN in its 14 digits. Raises BadParameter: it is none, or its check digit does not fit."""
    said = text.strip() if isinstance(text, str) else ""
    if len(said) not in LENGTHS or not (said.isascii() and said.isdigit()):
        raise BadParameter(
            name,
            f"{said[:40]!r} is no GTIN",
            remedy="a GTIN has 8, 12, 13 or 14 digits, the last of them checks",
        )
    if check_digit(said[:-1]) != said[-1]:
        raise BadParameter(
            name, f"the check digit of {said} does not fit", remedy=f"it would be {check_digit(said[:-1])}"
        )
    return said.zfill(14)


def batch_of(text: str, name: str = "batch") -> str:
    """A batch as application identifier 10 takes it. Raises BadParameter."""
    said = text if isinstance(text, str) else ""
    if (
        not 1 <= len(said) <= LONGEST or not set(said) <= SET_82 or said in (".", "..")
    ):  # these lead elsewhere in an address
        raise BadParameter(
            name,
            f"{said[:40]!r} is no batch of GS1",
            remedy=f"1 to {LONGEST} letters, digits and signs of character set 82, without spaces",
        )
    return said


def restricted(gtin: str) -> bool:
    """Whether a number (14 digits) is for restricted circulation: nobody but its own region or company knows it."""
    prefix = gtin[1:4]
    return prefix[:2] in ("02", "04") or "200" <= prefix <= "299"


def link(base: str, gtin: str, batch: str) -> LotLink:
    """The link of a lot under an address. Raises BadParameter, naming what is no GTIN or batch."""
    return LotLink(base.rstrip("/"), gtin14(gtin), batch_of(batch))


def parse(url: str) -> LotLink:
    """The lot that an address names. Raises BadParameter: it is no Digital Link of a lot."""
    try:
        parts = urlsplit(url)
    except ValueError:  # a host in brackets that is none
        parts = urlsplit("")
    found = _PATH.fullmatch(parts.path)
    if parts.scheme not in ("http", "https") or not parts.hostname or found is None:
        raise BadParameter(
            "link",
            f"{url[:120]!r} is no GS1 Digital Link of a lot",
            remedy="it looks like https://…/01/GTIN/10/BATCH",
        )
    base, gtin, batch = found.groups()
    return link(f"{parts.scheme}://{parts.netloc}{base}", gtin.zfill(14), unquote(batch))
