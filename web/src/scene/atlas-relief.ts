/** The towns as the engine draws them: one surface with a colour a corner, lines on the upper edges, points on top. */

import {
  BoundingSphere, Cartesian2, Cartesian3, Color, ComponentDatatype, Geometry, GeometryAttribute, GeometryAttributes, GeometryInstance,
  Material, type Matrix4, PerInstanceColorAppearance, PointPrimitiveCollection, PolygonPipeline, PolylineCollection, Primitive,
  PrimitiveType, type Scene,
} from "@cesium/engine"; // prettier-ignore

import { surface, type Loop, type Prism } from "./atlas-prism";

export interface Block extends Prism {
  colour: string;
  hovered: boolean;
  selected: boolean;
}

export interface Dot {
  id: string;
  position: [number, number, number];
  colour: string;
  size: number;
}

const triangulate = (points: Loop, holes: number[]): number[] =>
  PolygonPipeline.triangulate(points.map(([x, y]) => new Cartesian2(x, y)), holes);

/** Walls are the top's colour in shade: darkest where they face away from a light in the north-west. */
function shade(facing: number): number {
  if (facing === 0) return 1;
  const away = (1 - Math.cos(((facing - 1 - 315) * Math.PI) / 180)) / 2;
  return 0.86 - 0.24 * away;
}

export class Relief {
  private solid: Primitive | null = null;
  private readonly lines: PolylineCollection;
  private readonly dots: PointPrimitiveCollection;

  constructor(private readonly scene: Scene, private readonly plane: Matrix4) {
    this.lines = scene.primitives.add(new PolylineCollection({ modelMatrix: plane })) as PolylineCollection;
    this.dots = scene.primitives.add(new PointPrimitiveCollection({ modelMatrix: plane })) as PointPrimitiveCollection;
  }

  draw(blocks: readonly Block[]): void {
    const positions: number[] = [];
    const colours: number[] = [];
    const indices: number[] = [];
    this.lines.removeAll();
    for (const block of blocks) {
      const s = surface(block.shapes, block.height, triangulate);
      const start = positions.length / 3;
      const [r, g, b] = Color.fromCssColorString(block.colour).toBytes();
      for (const v of s.positions) positions.push(v);
      for (const f of s.facing) colours.push(r! * shade(f), g! * shade(f), b! * shade(f), 255);
      for (const i of s.indices) indices.push(start + i);
      this.rim(block);
    }
    const geometry = new Geometry({
      attributes: Object.assign(new GeometryAttributes(), {
        position: new GeometryAttribute({
          componentDatatype: ComponentDatatype.DOUBLE, componentsPerAttribute: 3, values: new Float64Array(positions),
        }),
        color: new GeometryAttribute({
          componentDatatype: ComponentDatatype.UNSIGNED_BYTE, componentsPerAttribute: 4, normalize: true, values: new Uint8Array(colours),
        }),
      }),
      indices: new Uint16Array(indices),
      primitiveType: PrimitiveType.TRIANGLES,
      boundingSphere: BoundingSphere.fromVertices(positions),
    }); // prettier-ignore
    if (this.solid) this.scene.primitives.remove(this.solid);
    this.solid = new Primitive({
      geometryInstances: new GeometryInstance({ geometry }),
      appearance: new PerInstanceColorAppearance({ flat: true, translucent: false, closed: true }),
      modelMatrix: this.plane,
      asynchronous: false,
      allowPicking: false,
    });
    this.scene.primitives.add(this.solid, 0);
  }

  private rim(block: Block): void {
    const strong = block.hovered || block.selected;
    const colour = Color.fromCssColorString(strong ? "#1c2329" : "#f8f7f4");
    const lift = strong ? 160 : 25;
    for (const loops of block.shapes)
      for (const loop of loops)
        this.lines.add({
          positions: [...loop, loop[0]!].map(([x, y]) => new Cartesian3(x, y, block.height + lift)),
          width: block.selected ? 2.6 : block.hovered ? 1.8 : 1.1,
          material: Material.fromType("Color", { color: colour }),
        });
  }

  /** A dashed line through points, under the dots. */
  way(points: readonly [number, number, number][], colour: string): void {
    if (points.length < 2) return;
    this.lines.add({
      positions: points.map(([x, y, z]) => new Cartesian3(x, y, z + 60)),
      width: 2,
      material: Material.fromType("PolylineDash", { color: Color.fromCssColorString(colour), dashLength: 10 }),
    });
  }

  points(dots: readonly Dot[]): void {
    this.dots.removeAll();
    for (const d of dots)
      this.dots.add({
        id: d.id,
        position: new Cartesian3(...d.position),
        color: Color.fromCssColorString(d.colour),
        outlineColor: Color.WHITE,
        outlineWidth: 1.2,
        pixelSize: d.size,
        disableDepthTestDistance: Number.POSITIVE_INFINITY,
      });
  }

  destroy(): void {
    for (const p of [this.solid, this.lines, this.dots]) if (p) this.scene.primitives.remove(p);
  }
}
