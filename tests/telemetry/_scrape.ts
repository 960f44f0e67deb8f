/** Reads what `/metrics` writes by a parser that is not ours. */

import parseText from "parse-prometheus-text-format";

/** One number with its labels. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Parsed {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly metrics: readonly { readonly value?: string; readonly labels?: Record<string, string> }[];
}

const parse = parseText as unknown as (text: string) => readonly Parsed[];

/**
 * Reads families: their names, kinds and words.
 *
 * @param text The page.
 * @returns The families by name.
 */
export function readFamilies(text: string): ReadonlyMap<string, { readonly type: string; readonly help: string }> {
  return new Map(parse(text).map(({ name, type, help }) => [name, { type, help }]));
}

/**
 * Reads every number of a page.
 *
 * @param text The page.
 * @returns The numbers, in the order of the page.
 */
export function readSamples(text: string): readonly Sample[] {
  // The parser sums histograms up and loses their labels: without the kinds each line is a number of its own.
  const plain = text.split("\n").filter((line) => !line.startsWith("# TYPE")).join("\n");
  return parse(plain).flatMap(({ name, metrics }) =>
    metrics.map(({ value = "", labels = {} }) => ({ name, labels, value: Number(value) }))
  );
}

/**
 * Finds numbers by name and some of their labels.
 *
 * @param text The page.
 * @param name The name.
 * @param labels The labels that they have to have.
 * @returns Their values.
 */
export function findValues(text: string, name: string, labels: Readonly<Record<string, string>> = {}): number[] {
  return readSamples(text)
    .filter((sample) => sample.name === name)
    .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
    .map(({ value }) => value);
}
