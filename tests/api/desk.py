"""A small twin with the layers of offers and needs: two producers, three lots, two kitchens, two dishes."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path

from tests.api.conftest import write_twin

from twintown.ground.provenance import Licence
from twintown.programme.produce_seed import seed
from twintown.trust.identity import LOCAL_OWNER
from twintown.trust.policy import Resource, decide
from twintown.twin.layers import Twin

# ruff: noqa: E501 - a table's lines are as long as its rows
FILES = {
    "producers": """id,name_ko,name_en,town_ko,town_en,kind,source,note,lon,lat
farm-1,예시 농가 1,Example farm 1,잠실동,Jamsil-dong,farm,assumed,,127.096,37.5128
farm-2,예시 농가 2,Example farm 2,먼 마을,Far town,farm,assumed,,127.9,37.0
""",
    "lots": """id,producer,origin_ko,origin_en,product,variety,grade,quantity_kg,error_kg,from,until,price_krw_kg,state,batch,substitute,source,lon,lat
l-rice,farm-1,잠실동,Jamsil-dong,rice,해들,special,1000,100,2090-09-06,2090-10-31,2500,offered,R-1,false,assumed,127.096,37.5128
l-peach,farm-1,잠실동,Jamsil-dong,peach,황도,upper,300,60,2090-09-16,2090-09-22,5000,offered,P-1,false,assumed,127.096,37.5128
s-rice,farm-2,먼 마을,Far town,rice,,upper,2000,0,2090-09-01,2090-11-01,3000,offered,S-1,true,assumed,127.9,37.0
""",
    "kitchens": """id,name_ko,name_en,kind,town_ko,partner,meals_d,allergens_not,source,lon,lat
school-1,가 초등학교,A Elementary School,school,잠실동,,500,,assumed,127.101,37.511
school-2,나 초등학교,B Elementary School,school,잠실동,,200,11,assumed,127.102,37.512
""",
    "recipes": """id,recipe,name_ko,name_en,product,g_meal,allergens,weekdays,source
r.rice,rice-bowl,쌀밥,Rice,rice,80,,"1,2,3,4,5",assumed
p.peach,peach-half,복숭아,Peach,peach,90,11,2,assumed
""",
}


def write_files(folder: Path) -> Path:
    """The CSV files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in FILES.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


#: The twin that was written once: the next one is a copy.
_WRITTEN: list[Path] = []


def write_desk(directory: Path) -> Path:
    """The small twin with these layers in it."""
    if not _WRITTEN:
        folder = Path(tempfile.mkdtemp(prefix="desk-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        _WRITTEN.append(_write_desk(folder / "small"))
    directory.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(_WRITTEN[0], directory)
    return directory


def _write_desk(directory: Path) -> Path:
    write_twin(directory)
    twin = Twin.open(directory, read_only=False)
    grant = decide(LOCAL_OWNER, "write", Resource(twin.description.id))
    seed(twin, write_files(directory.parent / "programme"), grant, Licence("CC0-1.0", "CC0"), "test")
    return directory
