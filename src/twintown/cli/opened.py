"""What several commands need: the twin that a directory holds, and a table on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from twintown.twin.layers import Twin

DIRECTORY = click.Path(path_type=Path, file_okay=False)


def blobs(directory: Path) -> str:
    """The blob URL of the twin in a directory, "" for the directory itself."""
    from twintown.settings import read_settings

    settings = read_settings()
    if not settings.blob_url:
        return ""
    from twintown.twin.description import Description

    return settings.blobs_of(Description.load(directory).id)


def open_twin(directory: Path) -> Twin:
    """The twin in a directory, for reading. Raises like `Twin.open`."""
    from twintown.settings import read_settings
    from twintown.twin.layers import Twin

    return Twin.open(directory, database=read_settings().database_url, blobs=blobs(directory))


def described(directory: Path) -> None:
    """Refuse a directory that is no twin."""
    from twintown.twin.description import Description

    Description.load(directory)


def table(rows: Sequence[tuple[str, ...]]) -> None:
    """Rows with a heading as aligned columns; Hangul is two wide, numbers stand to the right."""
    import unicodedata

    def width(text: str) -> int:
        return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)

    if len(rows) < 2:
        return
    widths = [max(width(row[column]) for row in rows) for column in range(len(rows[0]))]
    numbers = [all(row[c].replace(",", "").isdigit() for row in rows[1:]) for c in range(len(rows[0]))]
    click.echo()
    for row in rows:
        cells = []
        for cell, size, number in zip(row, widths, numbers, strict=True):
            space = " " * (size - width(cell))
            cells.append(space + cell if number else cell + space)
        click.echo("  ".join(cells).rstrip())
