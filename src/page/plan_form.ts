/**
 * The plan of a form: which field each part of a schema gets.
 *
 * @module
 */

import { isJsonObject, type JsonObject, type JsonValue } from "../protocol.ts";
import { type Place, toPath } from "../schema/fault_text.ts";
import type { FieldFrame, FormField, FormOption, GroupField, LinesField, TextField } from "./form_field.ts";
import { type FieldSchema, FormSchemas } from "./form_schema.ts";
import { toHints } from "./form_hints.ts";
import { toPlainLine, toPlainText } from "./plain_text.ts";

const MAX_FIELDS = 200;
/** How many groups may lie within each other. */
const MAX_DEPTH = 4;
const MAX_OPTIONS = 500;
const MAX_OPTION_CHARS = 2_048;
/** Several of more than these are written, not ticked. */
const MAX_BOXES = 24;
const MAX_LABEL_CHARS = 120;
const MAX_HELP_CHARS = 600;
const MAX_PROPOSAL_CHARS = 4_096;
const MANY_CHARS = 256;
/** Names of texts that have more than a line, as a rule. */
const LONG = /^(?:body|code|content|contents|html|input|instructions?|markdown|message|prompt|query|script|sql|text)$/i;

const FORMATS: Readonly<Record<string, TextField["input"]>> = {
  date: "date",
  "date-time": "date_time",
  email: "email",
  "idn-email": "email",
  uri: "uri",
  url: "uri",
  iri: "uri",
  password: "password",
};

/** A form. */
export interface FormPlan {
  /** The fields, or `undefined` where only JSON will do. */
  readonly root: GroupField | undefined;
  /** Whether more than the fields may be sent, which has to be written as JSON. */
  readonly isOpen: boolean;
}

/**
 * Plans the form of a schema.
 *
 * @param schema A schema of an object, as a tool has it; of any draft, and whatever is in it.
 * @returns The plan.
 */
export function planForm(schema: JsonObject): FormPlan {
  return new Planner(new FormSchemas(schema)).planRoot();
}

class TooManyFields extends Error {}

class Planner {
  readonly #schemas: FormSchemas;
  #fields = 0;

  constructor(schemas: FormSchemas) {
    this.#schemas = schemas;
  }

  planRoot(): FormPlan {
    const settled = this.#schemas.settle(this.#schemas.root);
    if (settled?.type !== "object") return { root: undefined, isOpen: true };
    const spot = { pointer: "", place: undefined, key: "", isRequired: true };
    const frame = toFrame(settled, spot);
    try {
      const root = this.#planGroup({ ...frame, isNullable: false }, settled.schema, spot, 0);
      return { root, isOpen: OPENERS.some((keyword) => isOpener(settled.schema[keyword])) };
    } catch (error) {
      if (error instanceof TooManyFields) return { root: undefined, isOpen: true };
      throw error;
    }
  }

  #planGroup(frame: FieldFrame, schema: JsonObject, { pointer, place }: Spot, depth: number): GroupField | undefined {
    const properties = isJsonObject(schema.properties) ? schema.properties : {};
    const names: JsonValue[] = Array.isArray(schema.required) ? schema.required : [];
    const required = new Set(names.filter((name) => typeof name === "string"));
    const keys = new Set([...Object.keys(properties), ...required]);
    // What a form cannot name, it cannot send.
    if (keys.size > MAX_FIELDS || ![...keys].every((key) => key.isWellFormed())) return undefined;
    const members = [...keys].flatMap((key) => {
      const spot = { pointer: `${pointer}/${encode(key)}`, place: { parent: place, key } };
      const member = Object.hasOwn(properties, key) ? properties[key] ?? {} : {};
      return this.#plan(member, { ...spot, key, isRequired: required.has(key) }, depth + 1) ?? [];
    });
    return { ...frame, kind: "group", members };
  }

  #plan(schema: JsonValue, spot: Spot & Member, depth: number): FormField | undefined {
    if (++this.#fields > MAX_FIELDS) throw new TooManyFields();
    const settled = this.#schemas.settle(schema);
    if (settled === undefined) return undefined;
    const frame = toFrame(settled, spot);
    const { type, options } = settled;
    if (options !== undefined) {
      const choices = toOptions([...options, ...(frame.isNullable ? [{ value: null, name: undefined }] : [])]);
      return choices === undefined ? { ...frame, kind: "json" } : { ...frame, kind: "choice", options: choices };
    }
    if (type === "string") return { ...frame, kind: "text", input: toInput(settled.schema, spot.key, frame) };
    if (type === "number" || type === "integer") return { ...frame, kind: "number", isInteger: type === "integer" };
    if (type === "boolean") {
      if (frame.isRequired && !frame.isNullable) return { ...frame, kind: "flag" };
      return { ...frame, kind: "choice", options: frame.isNullable ? [...BOOLEANS, NULL] : BOOLEANS };
    }
    if (type === "array") return this.#planList(frame, settled.schema);
    const isFree = !isJsonObject(settled.schema.properties);
    if (type !== "object" || isFree || depth > MAX_DEPTH) return { ...frame, kind: "json" };
    return this.#planGroup(frame, settled.schema, spot, depth) ?? { ...frame, kind: "json" };
  }

  #planList(frame: FieldFrame, schema: JsonObject): FormField {
    const { items, prefixItems } = schema;
    const settled = isJsonObject(items) && prefixItems === undefined ? this.#schemas.settle(items) : undefined;
    if (settled === undefined || settled.isNullable) return { ...frame, kind: "json" };
    const options = settled.options === undefined ? undefined : toOptions(settled.options);
    if (options !== undefined && options.length <= MAX_BOXES) return { ...frame, kind: "choices", options };
    const type = settled.options?.every(({ value }) => typeof value === "string") ? "string" : settled.type;
    const item = LINES[type ?? ""];
    if (item === undefined) return { ...frame, kind: "json" };
    return { ...frame, kind: "lines", item, hints: ["one per line", ...frame.hints] };
  }
}

/** Keywords by which an object may have more members than its fields. */
const OPENERS = ["additionalProperties", "patternProperties", "anyOf", "oneOf", "allOf", "if"] as const;

function isOpener(value: JsonValue | undefined): boolean {
  return value === true || (typeof value === "object" && value !== null);
}

interface Spot {
  readonly pointer: string;
  readonly place: Place | undefined;
}

interface Member {
  readonly key: string;
  readonly isRequired: boolean;
}

const LINES: Readonly<Record<string, LinesField["item"]>> = { string: "text", number: "number", integer: "integer" };
const BOOLEANS: readonly FormOption[] = [true, false].map((value) => toOption(value, undefined));
const NULL: FormOption = toOption(null, undefined);

function toFrame({ schema, type, isNullable }: FieldSchema, { pointer, place, key, isRequired }: Spot & Member) {
  const title = toPlainLine(schema.title, MAX_LABEL_CHARS);
  const examples: JsonValue[] = Array.isArray(schema.examples) ? schema.examples : [schema.example ?? null];
  return {
    pointer,
    path: toPath(place),
    key,
    label: title === "" ? toPlainLine(key, MAX_LABEL_CHARS) : title,
    help: toPlainText(schema.description, MAX_HELP_CHARS),
    hints: toHints(schema, type),
    example: toExample(examples[0]),
    isRequired,
    isNullable,
    proposal: toProposal(schema),
  };
}

function toProposal(schema: JsonObject): JsonValue | undefined {
  const proposal = Object.hasOwn(schema, "default") ? schema.default : undefined;
  return proposal !== undefined && JSON.stringify(proposal).length <= MAX_PROPOSAL_CHARS ? proposal : undefined;
}

function toExample(value: JsonValue | undefined): string {
  if (typeof value !== "string" && typeof value !== "number") return "";
  return toPlainLine(String(value), MAX_LABEL_CHARS);
}

function toInput(schema: JsonObject, key: string, { proposal }: FieldFrame): TextField["input"] {
  const { format, maxLength, contentMediaType } = schema;
  const input = typeof format === "string" && Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
  if (input !== undefined) return input;
  const isLong = (typeof maxLength === "number" && maxLength >= MANY_CHARS) || typeof contentMediaType === "string";
  const isProposedLong = typeof proposal === "string" && (proposal.includes("\n") || proposal.length > 80);
  return isLong || isProposedLong || (LONG.test(key) && maxLength === undefined) ? "long" : "line";
}

/** The options, each once, or `undefined` where there are too many, or none, or one is too large. */
function toOptions(given: NonNullable<FieldSchema["options"]>): readonly FormOption[] | undefined {
  if (given.length === 0 || given.length > MAX_OPTIONS) return undefined;
  const options = given.map(({ value, name }) => toOption(value, name));
  if (options.some(({ text }) => text.length > MAX_OPTION_CHARS)) return undefined;
  return [...new Map(options.map((option) => [option.text, option])).values()];
}

function toOption(value: JsonValue, name: JsonValue | undefined): FormOption {
  const text = JSON.stringify(value);
  const label = toPlainLine(name, MAX_LABEL_CHARS) || toPlainLine(value, MAX_LABEL_CHARS);
  return { value, text, label: label === "" ? toPlainLine(text, MAX_LABEL_CHARS) : label };
}

/** A key as a part of a name: a form changes line breaks in names, and a tilde begins what stands beside a field. */
function encode(key: string): string {
  return encodeURIComponent(key).replaceAll("~", "%7E");
}
