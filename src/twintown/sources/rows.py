"""Delimited text into columns of text: encoding found or checked, every row as wide as the head."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv

from twintown.ground.errors import BadData, BadSettings

from .source import check_file

LIMIT_BYTES = 4_000_000_000
_BLOCK = 1 << 20
ENCODINGS = ("auto", "utf-8", "utf-8-sig", "cp949")


def _first_bad(path: Path, encoding: str) -> int | None:
    """Position of the first byte that is not in the encoding."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    position = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                return max(0, position + error.start)
            position += len(block)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return position
    return None


def find_encoding(path: Path, wanted: str = "auto") -> str:
    """The encoding of a text file: the one that is wanted, or UTF-8 (with or without mark), or CP949.

    Raises:
        BadData: the file is not in the wanted encoding, or in none of them.
        BadSettings: an encoding that is not read.
    """
    if wanted not in ENCODINGS:
        raise BadSettings(
            f"unknown encoding {wanted!r}", "options.encoding", f"use one of {', '.join(ENCODINGS)}"
        )
    with path.open("rb") as file:
        head = file.read(4096)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in head:
        raise BadData("is UTF-16 or not text at all (zero bytes)", str(path), "save it as UTF-8")
    if wanted != "auto":
        bad = _first_bad(path, wanted)
        if bad is None:
            return "utf-8-sig" if wanted == "utf-8" else wanted
        other = "cp949" if wanted != "cp949" else "utf-8"
        raise BadData(
            f"is not {wanted} (byte {bad:,})",
            str(path),
            f'set encoding = "{other}" if it is, or save it as UTF-8',
        )
    bad = _first_bad(path, "utf-8")
    if bad is None:
        return "utf-8-sig"
    if _first_bad(path, "cp949") is None:
        return "cp949"
    raise BadData(f"is neither UTF-8 (byte {bad:,}) nor CP949", str(path), "save it as UTF-8")


def read_rows(path: Path, encoding: str = "auto", delimiter: str = ",") -> pd.DataFrame:
    """All rows as text, blanks around names and values removed; an absent value is an empty text.

    Raises:
        BadData: missing, empty, wrongly encoded, no rows, repeated names, a row with another number of fields, an open quote.
        TooLarge: more than 4 GB.
    """
    check_file(path, LIMIT_BYTES)
    found = find_encoding(path, encoding)
    with path.open("r", encoding=found, newline="") as file:
        line = file.readline()
    names = [name.strip() for name in next(csv.reader(io.StringIO(line), delimiter=delimiter), [])]
    if len(names) < 2 and path.stat().st_size > len(line.encode()):
        raise BadData(
            f"has one column only ({line.strip()[:40]!r})",
            str(path),
            f"set the delimiter; it is read with {delimiter!r}",
        )
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise BadData(f"has two columns called {twice!r}", str(path), "rename one")
    try:
        table = pacsv.read_csv(
            path,
            read_options=pacsv.ReadOptions(
                encoding="utf-8" if found == "utf-8-sig" else found,
                column_names=names,
                skip_rows=1,
                block_size=_BLOCK * 4,
            ),
            parse_options=pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        text = str(error).splitlines()[0]
        if "Empty CSV" in text:
            raise BadData("has a head and no rows", str(path), "fetch it again") from error
        raise BadData(
            f"a row does not fit the head, or the file breaks off ({text[:120]})",
            str(path),
            "fetch it again, or mend that row",
        ) from error
    if not table.num_rows:
        raise BadData("has a head and no rows", str(path), "fetch it again")
    rows: pd.DataFrame = table.to_pandas().astype("str")
    for name in names:
        rows[name] = rows[name].str.strip()
    return rows


def need(rows: pd.DataFrame, column: str, path: Path, option: str) -> pd.Series[str]:
    """
    Raises:
        BadData: the file has no such column.
    """
    if column not in rows.columns:
        raise BadData(
            f"has no column {column!r} (option {option})",
            str(path),
            f"it has {', '.join(map(repr, rows.columns[:12]))}",
        )
    return rows[column]


def numbers(texts: pd.Series[str], path: Path, column: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """float64: NaN where empty; thousands may be set off by commas.

    Raises:
        BadData: a text that is no number, with its row.
    """
    plain = texts.str.replace(",", "", regex=False)
    values = pd.to_numeric(plain.where(plain != ""), errors="coerce")
    wrong = values.isna() & (plain != "") & ~plain.str.lower().isin(("nan", "na", "-", "null"))
    if wrong.any():
        at = int(np.flatnonzero(wrong.to_numpy())[0])
        raise BadData(
            f"{texts.iloc[at]!r} in {column!r} is no number (row {at + 2})",
            str(path),
            "mend it, or leave the cell empty",
        )
    return values.to_numpy(dtype=float)


def chosen(rows: pd.DataFrame, where: Mapping[str, Any], path: Path) -> pd.DataFrame:
    """The rows whose columns have one of the wanted values; the old row numbers stay in the index.

    Raises:
        BadData: an unknown column, or no row at all.
    """
    for column, wanted in where.items():
        values = [str(one) for one in (wanted if isinstance(wanted, list) else [wanted])]
        kept: pd.DataFrame = rows[need(rows, column, path, "where").isin(values)]
        if kept.empty:
            raise BadData(
                f"no row has {' or '.join(values)} in {column!r}",
                str(path),
                f"it has {', '.join(sorted(rows[column].unique())[:8])}",
            )
        rows = kept
    return rows


def typed(texts: pd.Series[str], kind: str, path: Path, column: str) -> pd.Series[Any]:
    """A column in its type: `text`, `int`, `float`, `bool` (Y/N, 예/아니오, true/false), or `auto`.

    `auto` takes whole numbers, then numbers, then text; digits with a leading zero are codes and stay text.

    Raises:
        BadData: a value that is not of the type.
        BadSettings: an unknown type.
    """
    filled = texts[texts != ""]
    if kind == "auto":
        if not len(filled) or filled.str.match(r"0\d").any():
            kind = "text"
        elif filled.str.fullmatch(r"-?\d{1,15}").all():
            kind = "int"
        elif filled.str.fullmatch(r"-?\d+(\.\d*)?([eE][+-]?\d+)?").all():
            kind = "float"
        else:
            kind = "text"
    if kind == "text":
        return texts.where(texts != "")
    if kind == "bool":
        lower = texts.str.lower()
        yes, no = (
            lower.isin(("y", "yes", "true", "1", "예", "유")),
            lower.isin(("n", "no", "false", "0", "아니오", "무", "")),
        )
        if not (yes | no).all():
            raise BadData(
                f"{texts[~(yes | no)].iloc[0]!r} in {column!r} is neither yes nor no", str(path), "mend it"
            )
        return yes
    values = pd.Series(numbers(texts, path, column), index=texts.index)
    if kind == "float":
        return values
    if kind == "int":
        if (values.dropna() % 1 != 0).any():
            raise BadData(f"{column!r} has numbers that are not whole", str(path), 'use type "float"')
        return values.astype("Int64") if values.isna().any() else values.astype("int64")
    raise BadSettings(
        f"unknown type {kind!r} for {column!r}", "options.types", "use text, int, float or bool"
    )
