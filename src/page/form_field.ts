/**
 * What a form made from a schema consists of. Drawing it and reading it both follow the same plan.
 *
 * @module
 */

import type { JsonValue } from "../protocol.ts";

/** One of several values to choose from. */
export interface FormOption {
  /** The value. */
  readonly value: JsonValue;
  /** The value as JSON, which is what a form sends. */
  readonly text: string;
  /** What a person reads. */
  readonly label: string;
}

/** What every field has. */
export interface FieldFrame {
  /** Where its value goes, as a pointer whose parts are percent-encoded: the end of its name in a form. */
  readonly pointer: string;
  /** The same as faults have it: `filters.dates[0]`. */
  readonly path: string;
  /** The key of its value in the object that it belongs to; empty for the whole. */
  readonly key: string;
  /** What a person reads above it. */
  readonly label: string;
  /** What the schema says of it. */
  readonly help: string;
  /** What its value has to be like, in words. */
  readonly hints: readonly string[];
  /** An example of its value. */
  readonly example: string;
  /** Whether it has to have a value. */
  readonly isRequired: boolean;
  /** Whether its value may be `null`. */
  readonly isNullable: boolean;
  /** The value that the schema proposes. */
  readonly proposal: JsonValue | undefined;
}

/** A text. */
export interface TextField extends FieldFrame {
  /** The kind of field. */
  readonly kind: "text";
  /** What it is typed into. */
  readonly input: "line" | "long" | "date" | "date_time" | "email" | "uri" | "password";
}

/** A number. */
export interface NumberField extends FieldFrame {
  /** The kind of field. */
  readonly kind: "number";
  /** Whether it has to be whole. */
  readonly isInteger: boolean;
}

/** A boolean that has to have a value: a box to tick. */
export interface FlagField extends FieldFrame {
  /** The kind of field. */
  readonly kind: "flag";
}

/** One of several values, or several of them. */
export interface ChoiceField extends FieldFrame {
  /** The kind of field: one, or any number. */
  readonly kind: "choice" | "choices";
  /** What there is to choose from. */
  readonly options: readonly FormOption[];
}

/** A list of texts or numbers, one a line. */
export interface LinesField extends FieldFrame {
  /** The kind of field. */
  readonly kind: "lines";
  /** What a line is. */
  readonly item: "text" | "number" | "integer";
}

/** An object with fields of its own. */
export interface GroupField extends FieldFrame {
  /** The kind of field. */
  readonly kind: "group";
  /** Its fields. */
  readonly members: readonly FormField[];
}

/** What cannot be drawn: it is written as JSON. */
export interface JsonField extends FieldFrame {
  /** The kind of field. */
  readonly kind: "json";
}

/** A field that is one control. */
export type ControlField = TextField | NumberField | FlagField | ChoiceField | LinesField;

/** A field without fields of its own. */
export type LeafField = ControlField | JsonField;

/** A field. */
export type FormField = LeafField | GroupField;

/** The ends of the names of what stands beside a field's own control. No name of a field has a tilde. */
export const ENDS = {
  /** The field's value as JSON, which goes before its own control. */
  json: "~json",
  /** A box to tick: the value is `null`. */
  isNull: "~null",
  /** A box to tick: the group has a value. */
  isOn: "~on",
  /** Behind the prefix: whether the fields are read, or the JSON for all. */
  mode: "~mode",
} as const;

/**
 * Whether a group may be left out, or be `null`: then it has a box to tick.
 *
 * @param field The group.
 * @returns Whether it has one.
 */
export function isSwitched(field: GroupField): boolean {
  return field.pointer !== "" && (!field.isRequired || field.isNullable);
}

/**
 * Whether a field has a box to tick for `null`. Elsewhere `null` is a choice, or written as JSON.
 *
 * @param field The field.
 * @returns Whether it has one.
 */
export function hasNullBox(field: FormField): boolean {
  return field.isRequired && field.isNullable && field.kind !== "group" && field.kind !== "choice" &&
    field.kind !== "json";
}
