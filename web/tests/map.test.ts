import { describe, expect, it } from "vitest";
import { boxOf, itemAddress, nameOf } from "../src/map/options";
import { dataLayers, roomy } from "../src/map/style";
import { collectionPage, twinPage } from "../src/state/link";

describe("the maps on the HTML pages", () => {
  it("find the box of features, collections of geometries and nothing", () => {
    expect(boxOf({ type: "FeatureCollection", features: [{ geometry: { type: "Point", coordinates: [127, 37] } }, { geometry: { type: "LineString", coordinates: [[126, 36], [128, 38]] } }] })).toEqual([126, 36, 128, 38]);
    expect(boxOf({ type: "Feature", geometry: { type: "GeometryCollection", geometries: [{ type: "Point", coordinates: [1, 2] }] } })).toEqual([1, 2, 1, 2]);
    expect(boxOf({ type: "FeatureCollection", features: [{ geometry: null }] })).toBeNull();
  });
  it("keep the slashes of ids in the address of an item, and quote the rest", () => {
    expect(itemAddress("/twins/a/collections/b/items", "way/1 2")).toBe("/twins/a/collections/b/items/way/1%202");
  });
  it("call a feature by its name in the language of the page, else by its id", () => {
    expect(nameOf({ name: "롯데월드타워", name_en: "Lotte World Tower" }, "en", "1")).toBe("Lotte World Tower");
    expect(nameOf({}, "ko", "way/1")).toBe("way/1");
  });
  it("give one point some surroundings", () => {
    const [west, , east] = roomy([127, 37, 127, 37]);
    expect(east - west).toBeGreaterThan(0.001);
  });
  it("draw areas, lines and points of one source", () => {
    expect(new Set(dataLayers("layer", "buildings").map((one) => one.type))).toEqual(new Set(["fill", "line", "circle"]));
  });
  it("are led to from the viewer in its language", () => {
    expect(twinPage("icheon", "ko")).toBe("/twins/icheon?f=html&lang=ko");
    expect(collectionPage("a b", "towns", "en")).toBe("/twins/a%20b/collections/towns?f=html&lang=en");
  });
});
