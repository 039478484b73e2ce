/** What the map draws for the measure chosen: class, colour and relative height of each town. Pure. */

import { classColour, NO_VALUE, NONE } from "./ramp";
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
  // Towns that have none of a thing stand apart from those that have few.
  const some = known.filter((v) => v !== 0);
  const limits = breaks(some);
  const most = Math.max(0, ...known);
  const classes = legend(some, limits);
  const none = known.length - some.length;
  return {
    towns: towns.map((t, i) => {
      const value = values[i] ?? null;
      return {
        id: t.id,
        value,
        colour: value === null ? NO_VALUE : value === 0 ? NONE : classColour(classOf(value, limits), limits.length + 1),
        rise: value === null || most === 0 ? 0 : value / most,
      };
    }),
    key: {
      classes: [
        ...(none > 0 ? [{ from: 0, to: 0, towns: none, colour: NONE }] : []),
        ...classes.map((c) => ({ ...c, colour: classColour(classOf(c.from, limits), limits.length + 1) })),
      ],
      most,
      missing: values.length - known.length,
    },
  };
}
