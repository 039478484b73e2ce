"""An earlier plan: what of it is kept, and what a new one changes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from twintown.ground.features import Features
from twintown.jobs.process import Shape

from .deliveries_read import Lots, Needs, Texts
from .deliveries_share import Pieces

#: Amounts that differ by less are the same, kg.
SAME_KG = 0.02


def changed(keep: Shape | None, pieces: Pieces, lots: Lots, needs: Needs) -> Texts:
    """Of each piece, how its lot's whole share of its need compares with the earlier plan: new, kept, more or less."""
    out = np.full(len(pieces), "new", object)
    if not isinstance(keep, Features) or not len(keep) or not len(pieces):
        return out
    before = keep.table.groupby(["lot", "need"])["quantity_kg"].sum()
    key = pd.MultiIndex.from_arrays([lots.id[pieces.lot], needs.id[pieces.need]])
    now = pd.Series(pieces.kg, key).groupby(level=[0, 1]).sum()
    was = before.reindex(key).to_numpy(float)
    delta = now.reindex(key).to_numpy(float) - was
    out[~np.isnan(was)] = "kept"
    out[delta > SAME_KG] = "more"
    out[delta < -SAME_KG] = "less"
    return out
