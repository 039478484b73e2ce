# ruff: noqa: E501 - rows of a table read better on one line each
"""Buildings out of files: glTF with a position, CityJSON, IFC; and files that are none."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import pytest
import shapely
from tests.city.test_edits import BOUNDS, FRAME, X, Y

from twintown.city import edits as city
from twintown.ground.errors import BadData, BadParameter, TooLarge, UnknownFormat
from twintown.scenario import files
from twintown.scenario.prisms import Body, body, prisms

LON, LAT = (float(one) for one in FRAME.to_lonlat(X, Y))
HERE = files.Placement(LON, LAT)


def box(x: float, y: float, z: float, a: float, b: float, c: float) -> tuple[Any, Any]:
    """Corners and triangles of a closed box, all faces looking outwards."""
    corners = np.array([[i, j, k] for i in (x, x + a) for j in (y, y + b) for k in (z, z + c)], float)
    faces = [
        [0, 1, 3],
        [0, 3, 2],
        [4, 6, 7],
        [4, 7, 5],
        [0, 4, 5],
        [0, 5, 1],
        [2, 3, 7],
        [2, 7, 6],
        [0, 2, 6],
        [0, 6, 4],
        [1, 5, 7],
        [1, 7, 3],
    ]
    return corners, np.array(faces)


def together(*boxes: tuple[Any, Any]) -> Body:
    starts = np.cumsum([0, *(len(one[0]) for one in boxes)])
    return body(
        np.concatenate([one[0] for one in boxes]),
        np.concatenate([one[1] + at for one, at in zip(boxes, starts, strict=False)]),
    )


def glb(*boxes: tuple[Any, Any], **more: Any) -> bytes:
    """A GLB of boxes that are given with z up; written by hand, so that the reader is not tested by its own writer."""
    points = np.concatenate([one[0] for one in boxes])[:, [0, 2, 1]] * (1.0, 1.0, -1.0)
    starts = np.cumsum([0, *(len(one[0]) for one in boxes)])
    corners = (
        np.concatenate([one[1] + at for one, at in zip(boxes, starts, strict=False)]).astype("<u4").ravel()
    )
    raw = points.astype("<f4").tobytes() + corners.tobytes()
    document = {
        "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0, "name": "Slab"}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": len(points), "type": "VEC3", "min": points.min(0).tolist(), "max": points.max(0).tolist()},
            {"bufferView": 1, "componentType": 5125, "count": len(corners), "type": "SCALAR"},
        ],
        "bufferViews": [{"buffer": 0, "byteOffset": 0, "byteLength": 12 * len(points)}, {"buffer": 0, "byteOffset": 12 * len(points), "byteLength": 4 * len(corners)}],
        "buffers": [{"byteLength": len(raw)}], **more,
    }  # fmt: skip
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    raw += b"\0" * (-len(raw) % 4)
    whole = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(raw), b"BIN\0") + raw
    return struct.pack("<4sII", b"glTF", 2, 12 + len(whole)) + whole


def read(data: bytes, **more: Any) -> files.Imported:
    return files.read(data, FRAME, BOUNDS, **more)


def outline(part: dict[str, Any]) -> Any:
    return shapely.Polygon(part["outline"], part["holes"])


def test_a_tower_on_a_podium_becomes_two_prisms_of_the_same_volume() -> None:
    podium, tower = box(0, 0, 0, 40, 30, 8), box(10, 10, 8, 10, 10, 42)
    made = prisms(together(podium, tower))
    assert [(one.base_m, one.top_m, round(one.outline.area, 3)) for one in made] == [
        (0.0, 8.0, 1200.0),
        (8.0, 50.0, 100.0),
    ]
    assert sum(one.volume_m3 for one in made) == pytest.approx(1200 * 8 + 100 * 42)


def test_a_court_stays_open_and_a_pitched_roof_becomes_steps() -> None:
    walls = [box(0, 0, 0, 30, 5, 9), box(0, 25, 0, 30, 5, 9), box(0, 5, 0, 5, 20, 9), box(25, 5, 0, 5, 20, 9)]
    (court,) = prisms(together(*walls))
    assert (len(court.outline.interiors), round(court.outline.area)) == (1, 900 - 400)
    ridge = np.array([[0, 0, 0], [20, 0, 0], [20, 10, 0], [0, 10, 0], [0, 5, 6], [20, 5, 6]], float)
    faces = np.array([[0, 2, 1], [0, 3, 2], [0, 1, 5], [0, 5, 4], [2, 3, 4], [2, 4, 5], [0, 4, 3], [1, 2, 5]])
    steps = prisms(body(ridge, faces))
    assert len(steps) == 6
    assert sum(one.volume_m3 for one in steps) == pytest.approx(20 * 10 * 6 / 2, rel=0.02)


def test_an_open_mesh_is_what_it_covers_from_above() -> None:
    corners, faces = box(0, 0, 0, 20, 10, 9)
    (one,) = prisms(body(corners, faces[:-2]))
    assert one.outline.area == pytest.approx(200, rel=0.05)
    assert (one.base_m, one.top_m) == (0.0, 9.0)


def test_a_glb_stands_where_it_is_set_with_its_front_turned() -> None:
    data = glb(box(-10, -5, -3, 20, 10, 30))
    flat = read(data, place=HERE)
    (edit,) = flat.edits
    assert edit["name"] == "Slab"
    (part,) = edit["parts"]
    assert (part["base_m"], part["top_m"]) == (0.0, 30.0)  # it stands on its lowest point
    width = np.ptp(np.array(part["outline"]), axis=0)
    assert width == pytest.approx([20, 10], abs=0.1)  # the grid's north is half a degree off
    (turned,) = read(data, place=files.Placement(LON, LAT, 90.0)).edits[0]["parts"]
    assert np.ptp(np.array(turned["outline"]), axis=0) == pytest.approx([10, 20], abs=0.1)
    assert shapely.centroid(outline(part)).distance(shapely.Point(X, Y)) < 0.05
    made = city.parse({**edit, "object": "new/00000001"}, FRAME)
    city.check(made, BOUNDS, {})
    (cut,) = read(data, place=HERE, stands="origin").edits[0]["parts"]
    assert (cut["base_m"], cut["top_m"]) == (0.0, 27.0)
    assert "as-prisms" in [one.code for one in flat.notes]


@pytest.mark.parametrize(
    ("data", "kind", "says"),
    [
        (b"", BadData, "empty"),
        (glb(box(0, 0, 0, 9, 9, 9))[:-40], BadData, "truncated: it says"),
        (b"glTF\x02\0\0\0", BadData, "truncated"),
        (glb(box(0, 0, 0, 9, 9, 9), buffers=[{"byteLength": 4, "uri": "model.bin"}]), BadData, "another file"),
        (glb(box(0, 0, 0, 9, 9, 9), extensionsRequired=["KHR_draco_mesh_compression"]), BadData, "packed"),
        (glb(box(0, 0, 0, 9, 9, 9), meshes=[]), BadData, "no mesh"),
        (glb(box(0, 0, 0, 9000, 9000, 9000)), BadData, "9,009 m wide"),
        (glb(box(0, 0, 0, 0.009, 0.009, 0.009)), BadData, "covers no ground"),
        (b"%PDF-1.7", UnknownFormat, "CityJSON, glTF"),
        (b'{"type": "Feature"', BadData, "no JSON"),
        (b'{"type": "CityJSON", "version": "2.0", "CityObjects": {}}', BadData, "vertices"),
        (b"ISO-10303-21;\nHEADER;", BadData, "truncated: its end is missing"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_named(data: bytes, kind: type[Exception], says: str) -> None:
    with pytest.raises(kind, match=says):
        read(data, place=HERE)


def test_a_glb_without_a_position_asks_for_one() -> None:
    with pytest.raises(BadParameter, match="give lon, lat"):
        read(glb(box(0, 0, 0, 9, 9, 9)))


def test_a_tower_of_five_kilometres_is_refused_by_its_height() -> None:
    (edit,) = read(glb(box(0, 0, 0, 50, 50, 5000)), place=HERE).edits
    with pytest.raises(BadParameter, match=r"top_m.*5,000 is out of range"):
        city.parse({**edit, "object": "new/00000001"}, FRAME)


def test_too_many_triangles_are_refused_before_they_are_cut() -> None:
    with pytest.raises(TooLarge, match="simplify"):
        body(np.zeros((3, 3)), np.zeros((300_001, 3), np.int64))


def cityjson(**more: Any) -> bytes:
    """A podium and a tower as two parts of a building."""
    solids, points = {}, []
    for name, (x, y, z, a, b, c) in {
        "slab-1": (X, Y, 0, 40, 30, 8),
        "slab-2": (X + 10, Y + 10, 8, 10, 10, 42),
    }.items():
        corners, faces = box(x, y, z, a, b, c)
        shell = [[[int(v) + len(points) for v in face]] for face in faces]
        points += np.round(corners * 1000).astype(int).tolist()
        solids[name] = {
            "type": "BuildingPart",
            "parents": ["slab"],
            "geometry": [{"type": "Solid", "lod": "1.2", "boundaries": [shell]}],
        }
    building = {
        "type": "Building",
        "children": list(solids),
        "attributes": {"function": "office", "storey_m": 4.0},
    }
    document = {
        "type": "CityJSON", "version": "2.0", "transform": {"scale": [0.001] * 3, "translate": [0, 0, 0]}, "vertices": points,
        "metadata": {"referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/5186"}, "CityObjects": {"slab": building, **solids}, **more,
    }  # fmt: skip
    return json.dumps(document).encode()


def test_cityjson_gives_a_building_with_its_parts_where_it_says_that_they_are() -> None:
    (edit,) = read(cityjson()).edits
    made = city.parse({**edit, "object": "new/00000001"}, FRAME)
    assert (made["name"], made["function"], made["storey_m"], made["height_m"]) == (
        "slab",
        "office",
        4.0,
        50.0,
    )
    parts = sorted((one["base_m"], one["top_m"], round(outline(one).area)) for one in made["parts"])
    assert parts == [(0.0, 8.0, 1200), (8.0, 50.0, 100)]


def test_cityjson_without_a_building_is_named() -> None:
    with pytest.raises(BadData):
        read(cityjson(CityObjects={}))


@pytest.mark.slow
def test_an_ifc_model_stands_where_its_map_conversion_says() -> None:
    data = _ifc(BOUNDS, mapped=True)
    found = read(data)
    (edit,) = found.edits
    assert edit["name"] == "Haus" and found.kind == "IFC"
    assert max(part["top_m"] for part in edit["parts"]) == pytest.approx(6.0, abs=0.01)
    whole = shapely.union_all([outline(part) for part in edit["parts"]])
    assert whole.area == pytest.approx(80.0, rel=0.05)
    assert shapely.centroid(whole).distance(shapely.Point(X + 5, Y + 4)) < 0.2


@pytest.mark.slow
def test_an_ifc_model_without_a_place_asks_for_one() -> None:
    data = _ifc(BOUNDS, mapped=False)
    with pytest.raises(BadParameter, match="where it stands"):
        read(data)
    (edit,) = read(data, place=HERE).edits
    assert edit["parts"]


def _ifc(_bounds: Any, *, mapped: bool) -> bytes:
    """A house of 10 m by 8 m with two storeys, walls and slabs."""
    pytest.importorskip("ifcopenshell")
    import ifcopenshell.api.aggregate
    import ifcopenshell.api.context
    import ifcopenshell.api.geometry
    import ifcopenshell.api.georeference
    import ifcopenshell.api.project
    import ifcopenshell.api.root
    import ifcopenshell.api.spatial
    import ifcopenshell.api.unit

    api = ifcopenshell.api
    model = api.project.create_file(version="IFC4")
    project = api.root.create_entity(model, ifc_class="IfcProject", name="Test")
    api.unit.assign_unit(model, length={"is_metric": True, "raw": "METERS"})
    context = api.context.add_context(model, context_type="Model")
    inside = api.context.add_context(model, "Model", "Body", "MODEL_VIEW", parent=context)
    site, house = (
        api.root.create_entity(model, ifc_class=kind, name=name)
        for kind, name in (("IfcSite", "Ort"), ("IfcBuilding", "Haus"))
    )
    api.aggregate.assign_object(model, relating_object=project, products=[site])
    api.aggregate.assign_object(model, relating_object=site, products=[house])
    if mapped:
        api.georeference.add_georeferencing(model)
        api.georeference.edit_georeferencing(model, projected_crs={"Name": "EPSG:5186"}, coordinate_operation={"Eastings": X, "Northings": Y, "OrthogonalHeight": 0.0})  # fmt: skip
    for level in (0.0, 3.0):
        storey = api.root.create_entity(model, ifc_class="IfcBuildingStorey", name=f"{level}")
        storey.Elevation = level
        api.aggregate.assign_object(model, relating_object=house, products=[storey])
        for x, y, length, turn in ((0, 0, 10, 0), (10, 0, 8, 90), (10, 8, 10, 180), (0, 8, 8, 270)):
            wall = api.root.create_entity(model, ifc_class="IfcWall")
            shape = api.geometry.add_wall_representation(
                model, context=inside, length=length, height=3.0, thickness=0.3
            )
            api.geometry.assign_representation(model, product=wall, representation=shape)
            c, s = round(np.cos(np.radians(turn)), 12), round(np.sin(np.radians(turn)), 12)
            matrix = np.array([[c, -s, 0, x], [s, c, 0, y], [0, 0, 1, level], [0, 0, 0, 1]], float)
            api.geometry.edit_object_placement(model, product=wall, matrix=matrix)
            api.spatial.assign_container(model, relating_structure=storey, products=[wall])
        roof = api.root.create_entity(model, ifc_class="IfcSlab")
        shape = api.geometry.add_slab_representation(
            model,
            context=inside,
            depth=0.2,
            polyline=[(0.0, 0.0), (10.0, 0.0), (10.0, 8.0), (0.0, 8.0), (0.0, 0.0)],
        )
        api.geometry.assign_representation(model, product=roof, representation=shape)
        api.geometry.edit_object_placement(
            model,
            product=roof,
            matrix=np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, level + 2.8], [0, 0, 0, 1]], float),
        )
        api.spatial.assign_container(model, relating_structure=storey, products=[roof])
    return str(model.to_string()).encode()
