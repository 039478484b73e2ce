"""Run by Debian's Python with QGIS, not by ours: what QGIS sees of a twin, as JSON.

qgis_reads.py <address of the twin> <layer>…
"""

import json
import os
import sys
import urllib.request

from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsFeatureRequest,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
    QgsVectorTileBasicRenderer,
    QgsVectorTileLayer,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor


def features(twin, layer):
    """A layer of features as QGIS reads it."""
    source = (
        f"url='{twin}' typename='{layer}' srsname='OGC:CRS84' pagingEnabled='true' restrictToRequestBBOX='1'"
    )
    found = QgsVectorLayer(source, layer, "OAPIF")
    if not found.isValid():
        return {"valid": False, "error": found.error().summary()}
    got = list(found.getFeatures())
    box = found.extent()
    half = QgsRectangle(box.xMinimum(), box.yMinimum(), box.center().x(), box.center().y())
    return {
        "valid": True,
        "count": len(got),
        "bounds": [min(f.geometry().boundingBox().xMinimum() for f in got if f.hasGeometry()),
                   min(f.geometry().boundingBox().yMinimum() for f in got if f.hasGeometry())],
        "fields": [field.name() for field in found.fields()],
        "crs": found.crs().authid(),
        "half": len(list(found.getFeatures(QgsFeatureRequest(half)))),
    }  # fmt: skip


def main():
    """Everything that is asked for."""
    twin, *layers = sys.argv[1:]
    application = QgsApplication([], True)
    application.initQgis()
    told = {layer: features(twin, layer) for layer in layers}
    tiles = QgsVectorTileLayer(
        f"type=xyz&url={twin}/collections/buildings/tiles/WebMercatorQuad/%7Bz%7D/%7By%7D/%7Bx%7D&zmax=16&zmin=0",
        "tiles",
    )
    told["tiles"] = {"valid": tiles.isValid(), "drawn": drawn(tiles, twin, "buildings")}
    grid = QgsRasterLayer(f"/vsicurl/{twin}/collections/shade/coverage?f=cog", "shade", "gdal")
    told["grid"] = {
        "valid": grid.isValid(),
        "crs": grid.crs().authid(),
        "size": [grid.width(), grid.height()],
    }
    print(json.dumps(told), flush=True)
    os._exit(0)  # some builds of QGIS fall over their own end


def drawn(tiles, twin, layer):
    """How many pixels of a picture are not paper when QGIS draws vector tiles of a layer."""
    with urllib.request.urlopen(f"{twin}/collections/{layer}?f=json") as answer:
        west, south, east, north = json.load(answer)["extent"]["spatial"]["bbox"][0]
    mercator = QgsCoordinateReferenceSystem("EPSG:3857")
    turn = QgsCoordinateTransform(QgsCoordinateReferenceSystem("OGC:CRS84"), mercator, QgsProject.instance())
    renderer = QgsVectorTileBasicRenderer()
    renderer.setStyles(QgsVectorTileBasicRenderer.simpleStyleWithRandomColors())
    tiles.setRenderer(renderer)
    settings = QgsMapSettings()
    settings.setLayers([tiles])
    settings.setDestinationCrs(mercator)
    settings.setExtent(turn.transformBoundingBox(QgsRectangle(west, south, east, north)))
    settings.setOutputSize(QSize(200, 200))
    settings.setBackgroundColor(QColor(255, 255, 255))
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    return sum(image.pixel(x, y) & 0xFFFFFF != 0xFFFFFF for x in range(200) for y in range(200))


main()
