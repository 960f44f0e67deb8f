/**
 * Numbers by labels, never more of them than agreed.
 *
 * @module
 */

import { cleanText } from "./clean_text.ts";

/** The value of a label that stands for all that there was no room for. */
export const OTHER = "_other";

/** The most characters that a label's value has. */
const MAX_LABEL_CHARS = 128;

/** One number, or several, under its labels. */
export interface Series<T> {
  /** The values of the labels, in the order of the family's. */
  readonly labels: readonly string[];
  /** What is counted there. */
  readonly value: T;
}

/**
 * Keeps a value for each combination of labels. The first label is never folded: whose series it is decides who may see
 * it.
 */
export class SeriesTable<T> {
  readonly #maxSeries: number;
  readonly #create: () => T;
  readonly #series = new Map<string, Series<T>>();
  /** By the labels as they came, so that they are cleaned once. */
  readonly #byGiven = new Map<string, Series<T>>();

  /**
   * Creates a table without series.
   *
   * @param maxSeries How many there may be; what comes later is kept under {@linkcode OTHER}, once for each first label.
   * @param create Makes the value of a new one.
   */
  constructor(maxSeries: number, create: () => T) {
    this.#maxSeries = maxSeries;
    this.#create = create;
  }

  /**
   * The value under some labels.
   *
   * @param given The values of the labels, as they are.
   * @returns The value, which is the caller's to change.
   */
  at(given: readonly string[]): T {
    const key = toKey(given);
    const known = this.#byGiven.get(key);
    if (known !== undefined) return known.value;
    const labels = given.map(toLabel);
    const isFull = this.#byGiven.size >= this.#maxSeries;
    if (!isFull) return this.#keep(key, labels).value;
    const [first, ...others] = labels;
    const folded = [first ?? "", ...others.map(() => OTHER)];
    return this.#findOrCreate(this.#series.has(toKey(labels)) ? labels : folded).value;
  }

  /**
   * All series.
   *
   * @returns In the order of their first use.
   */
  list(): readonly Series<T>[] {
    return [...this.#series.values()];
  }

  #keep(key: string, labels: readonly string[]): Series<T> {
    const series = this.#findOrCreate(labels);
    this.#byGiven.set(key, series);
    return series;
  }

  #findOrCreate(labels: readonly string[]): Series<T> {
    const key = toKey(labels);
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    const series = { labels, value: this.#create() };
    this.#series.set(key, series);
    return series;
  }
}

/** Lengths keep the parts apart whatever is in them. */
function toKey(labels: readonly string[]): string {
  let key = "";
  for (const label of labels) key += `${label.length}:${label}`;
  return key;
}

/**
 * A text as a label's value: short, of one line, without what cannot be seen.
 *
 * @param text The text.
 * @returns The value; two texts may become the same one.
 */
export function toLabel(text: string): string {
  return cleanText(text.slice(0, MAX_LABEL_CHARS));
}
