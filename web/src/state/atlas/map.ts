/** What the map draws for the measure chosen: class, colour and relative height of each town. Pure. */

import { classColour, NO_VALUE } from "./ramp";
import { breaks, classOf, legend, measure, type LegendClass, type Town } from "./towns";

export interface Drawn {
  id: string;
  value: number | null;
  colour: string;
  /** 0 to 1: the value over the greatest value. Heights start at zero. */
  rise: number;
}

export interface MapKey {
  classes: (LegendClass & { colour: string })[];
  /** The greatest value, which stands tallest. */
  most: number;
  missing: number;
}

export function drawn(towns: readonly Town[], measureId: string): { towns: Drawn[]; key: MapKey } {
  const m = measure(measureId);
  const values = towns.map((t) => m.value(t));
  const known = values.filter((v): v is number => v !== null);
  const limits = breaks(known);
  const most = Math.max(0, ...known);
  const classes = legend(known, limits);
  return {
    towns: towns.map((t, i) => {
      const value = values[i] ?? null;
      return {
        id: t.id,
        value,
        colour: value === null ? NO_VALUE : classColour(classOf(value, limits), limits.length + 1),
        rise: value === null || most === 0 ? 0 : value / most,
      };
    }),
    key: {
      classes: classes.map((c) => ({ ...c, colour: classColour(classOf(c.from, limits), limits.length + 1) })),
      most,
      missing: values.length - known.length,
    },
  };
}
