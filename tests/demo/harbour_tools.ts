/**
 * The tools of a small server that a person understands: harbours, the distances between them, their tides.
 *
 * @module
 */

import { z } from "zod";
import { type TestTool, textResult } from "../support/test_tools.ts";

interface Harbour {
  readonly latitude: number;
  readonly longitude: number;
  /** The first high water of the day, in hours. */
  readonly highWaterHours: number;
  /** How far the tide rises above the mean, in metres. */
  readonly amplitudeMetres: number;
}

const HARBOURS: ReadonlyMap<string, Harbour> = new Map([
  ["Ancona", { latitude: 43.62, longitude: 13.51, highWaterHours: 4.4, amplitudeMetres: 0.2 }],
  ["Barcelona", { latitude: 41.35, longitude: 2.16, highWaterHours: 7.9, amplitudeMetres: 0.1 }],
  ["Genoa", { latitude: 44.4, longitude: 8.92, highWaterHours: 8.2, amplitudeMetres: 0.1 }],
  ["Lisbon", { latitude: 38.7, longitude: -9.16, highWaterHours: 2.6, amplitudeMetres: 1.4 }],
  ["Palma", { latitude: 39.55, longitude: 2.63, highWaterHours: 8.0, amplitudeMetres: 0.1 }],
  ["Venice", { latitude: 45.43, longitude: 12.33, highWaterHours: 9.5, amplitudeMetres: 0.5 }],
]);

/** The mean radius of the earth, in nautical miles. */
const EARTH_RADIUS = 3_440.065;
/** From one high water to the next, in hours. */
const TIDE_PERIOD = 12.42;

const harbourName = z.enum([...HARBOURS.keys()]);

/** Three tools; their answers never change. */
export const HARBOUR_TOOLS: readonly TestTool[] = [
  {
    name: "harbours",
    description: "Lists the harbours on the chart",
    annotations: { readOnlyHint: true },
    run: () => textResult([...HARBOURS.keys()].join(", ")),
  },
  {
    name: "distance",
    description: "Tells the great-circle distance between two harbours in nautical miles",
    inputSchema: { from: harbourName, to: harbourName },
    annotations: { readOnlyHint: true },
    run: ({ from, to }) => {
      const miles = distance(harbourOf(from), harbourOf(to));
      return textResult(`${from} to ${to}: ${Math.round(miles)} nautical miles`);
    },
  },
  {
    name: "tide",
    description: "Tells the height of the tide above the mean level at an hour of the day",
    inputSchema: { harbour: harbourName, hour: z.number().min(0).max(24) },
    annotations: { readOnlyHint: true },
    run: ({ harbour, hour }) => {
      const { highWaterHours, amplitudeMetres } = harbourOf(harbour);
      const metres = amplitudeMetres * Math.cos((2 * Math.PI * (Number(hour) - highWaterHours)) / TIDE_PERIOD);
      return textResult(`${harbour} at ${hour} h: ${metres.toFixed(2)} m`);
    },
  },
];

function harbourOf(name: unknown): Harbour {
  const harbour = HARBOURS.get(String(name));
  if (harbour === undefined) throw new RangeError(`Cannot find harbour "${name}" on the chart`);
  return harbour;
}

function distance(from: Harbour, to: Harbour): number {
  const radians = (degrees: number) => (degrees * Math.PI) / 180;
  const half = (difference: number) => Math.sin(radians(difference) / 2) ** 2;
  const cosines = Math.cos(radians(from.latitude)) * Math.cos(radians(to.latitude));
  const haversine = half(to.latitude - from.latitude) + cosines * half(to.longitude - from.longitude);
  return 2 * EARTH_RADIUS * Math.asin(Math.sqrt(haversine));
}
