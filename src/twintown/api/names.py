"""The names of a twin as columns: made and searched by Arrow, whole columns at a time, beside whatever else the server does.

Plain Python over some ten thousand names would keep every other request waiting meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

if TYPE_CHECKING:
    from twintown.index.view import View

#: Columns that hold a name, as a row may have them.
NAMES = ("name_ko", "name_en", "name")
_TEXT = pa.large_string()


def normalise(text: str) -> str:
    """One form for what people type as the same: compatibility forms and case folded; no spaces, no punctuation.

    >>> normalise("Ｌotte  World-Tower")
    'lotteworldtower'
    """
    return str(_form(pa.array([text.encode("utf-8", "replace").decode()], _TEXT))[0].as_py())


def _form(texts: Any) -> Any:
    folded = pc.utf8_lower(pc.utf8_normalize(texts, form="NFKC"))
    return pc.replace_substring_regex(folded, r"[^\p{L}\p{N}]+", "")


def _words(texts: Any) -> Any:
    """Each word normalised, with a blank before it."""
    folded = pc.utf8_lower(pc.utf8_normalize(texts, form="NFKC"))
    bare = pc.replace_substring_regex(folded, r"[^\p{L}\p{N}\s]+", "")
    one_blank = pc.replace_substring_regex(bare, r"\s+", " ")
    return pc.binary_join_element_wise(pa.scalar("", _TEXT), one_blank, pa.scalar(" ", _TEXT))


def named(layer: str, view: View, first: int, once: bool = False) -> pa.Table:
    """The rows of one layer that have a name and lie somewhere.

    Args:
        first: the place of the layer among the layers.
        once: rows of one name (a road's pieces) count once.
    """
    there = {column.name for column in view.columns}
    columns = [name for name in (*NAMES, "kind", "height_m") if name in there]
    parts = [_rows(layer, batch, first) for batch in view.batches(columns=columns, lonlat=True)]
    table = pa.concat_tables(parts) if parts else _rows(layer, _none(columns), first)
    if once and table.num_rows:
        codes = table["ko"].combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False)
        table = table.take(pa.array(np.sort(np.unique(codes, return_index=True)[1])))
    return table


def _none(columns: Sequence[str]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(
        {name: pa.array([], pa.string()) for name in ("id", *columns, "lonlat")}
    )


def _rows(layer: str, batch: pa.RecordBatch, first: int) -> pa.Table:
    def text(name: str) -> Any:
        if name not in batch.schema.names:
            return pa.nulls(batch.num_rows, _TEXT)
        values = batch.column(name).cast(_TEXT)
        return pc.if_else(pc.equal(values, ""), pa.scalar(None, _TEXT), values)

    ko, en, name = (text(one) for one in NAMES)
    known = pc.coalesce(ko, en, name).is_valid().to_numpy(zero_copy_only=False)
    shapes = np.full(batch.num_rows, None, object)
    if known.any():
        wkb = batch.column("lonlat").filter(pa.array(known)).to_numpy(zero_copy_only=False)
        shapes[known] = shapely.from_wkb(wkb)
    points = _points(shapes)
    keep = pa.array(known & ~shapely.is_missing(points) & ~shapely.is_empty(points))
    height = pa.nulls(batch.num_rows, pa.float64())
    if "height_m" in batch.schema.names:
        height = batch.column("height_m").cast(pa.float64())
        height = pc.if_else(pc.is_finite(height), height, pa.scalar(None, pa.float64()))
    forms = {f"form{i}": _form(one) for i, one in enumerate((ko, en, name))}
    words = {f"words{i}": _words(one) for i, one in enumerate((ko, en, name))}
    return pa.table(
        {
            "id": batch.column("id").cast(_TEXT),
            "layer": pa.array([layer] * batch.num_rows, pa.string()).dictionary_encode(),
            "ko": pc.coalesce(ko, name, en),
            "en": pc.coalesce(en, name, ko),
            "kind": pc.fill_null(text("kind"), layer),
            "lon": np.round(shapely.get_x(points), 7),
            "lat": np.round(shapely.get_y(points), 7),
            "height_m": height,
            "first": np.full(batch.num_rows, first),
            **forms,
            **words,
        }
    ).filter(keep)


def _points(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Where each row is found: a road in its middle, everything else on itself."""
    points = np.asarray(shapely.point_on_surface(shapes), object)
    lines = shapely.get_type_id(shapes) == 1
    points[lines] = shapely.line_interpolate_point(shapes[lines], 0.5, normalized=True)
    return points


class Index:
    """All names of a twin, in the order in which equally good ones come: by layer, then the tallest first.

    Args:
        tables: of the layers, from `named`.
    """

    def __init__(self, tables: Sequence[pa.Table]) -> None:
        whole: Any = pa.concat_tables(tables, promote_options="permissive") if tables else None
        self._table: Any = whole
        if whole is not None and whole.num_rows:
            height = pc.fill_null(whole["height_m"], 0.0).to_numpy()
            order = np.lexsort((np.arange(whole.num_rows), -height, whole["first"].to_numpy()))
            self._table = whole.take(pa.array(order)).combine_chunks()

    def __len__(self) -> int:
        return 0 if self._table is None else int(self._table.num_rows)

    def find(self, text: str, limit: int) -> list[dict[str, Any]]:
        """The best rows: the whole name, then its beginning, then a word's beginning, then anywhere in it."""
        wanted = normalise(text)
        if not wanted or not len(self):
            return []
        table = self._table
        rank = np.full(len(self), 4, np.int8)
        for i in range(len(NAMES)):
            form = table[f"form{i}"]
            at = _at(form, wanted)
            word = _at(table[f"words{i}"], f" {wanted}") >= 0
            whole = pc.fill_null(pc.equal(form, wanted), False).to_numpy()
            rank = np.minimum(rank, np.select([whole, at == 0, (at > 0) & word, at > 0], [0, 1, 2, 3], 4))
        best = np.argsort(rank, kind="stable")[:limit]
        best = best[rank[best] < 4]
        shown = ["id", "layer", "ko", "en", "kind", "lon", "lat", "height_m"]
        found: list[dict[str, Any]] = table.select(shown).take(pa.array(best)).to_pylist()
        return found


def _at(texts: Any, wanted: str) -> NDArray[np.int64]:
    """Where the text first stands in each, -1 where it does not."""
    return np.asarray(pc.fill_null(pc.find_substring(texts, wanted), -1).to_numpy(), np.int64)
