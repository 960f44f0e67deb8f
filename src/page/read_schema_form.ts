/**
 * The arguments that a form made from a schema says.
 *
 * @module
 */

import type { Fault } from "../errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../protocol.ts";
import { readFieldTexts, readJson, type Said } from "./field_text.ts";
import type { FormEntries } from "./form_entries.ts";
import { ENDS, type FormField, type GroupField, hasNullBox, isSwitched } from "./form_field.ts";
import { planForm } from "./plan_form.ts";

const MAX_FAULTS = 50;

/**
 * Reads a form that `SchemaForm` has drawn.
 *
 * An empty control says nothing: an optional value is left out then, and a required one is a fault, but for lists, which
 * are empty. An empty text, and whatever else a control cannot say, is written as JSON. Whether the arguments match the
 * schema is not looked at.
 *
 * @param form What was sent.
 * @param schema The schema that the form was made from.
 * @param prefix The beginning of all names.
 * @returns The arguments, or what is wrong, place by place.
 */
export function readSchemaForm(
  form: URLSearchParams | FormData,
  schema: JsonObject,
  prefix: string,
): { readonly args: JsonObject } | { readonly faults: readonly Fault[] } {
  const reader = new Reader(form, prefix);
  const { root } = planForm(schema);
  // The server may have changed the tool since the form was drawn: what was typed is not left out in silence.
  const known = new Set(root === undefined ? [] : listPointers(root));
  for (const name of new Set(form.keys())) {
    const pointer = name.startsWith(`${prefix}/`) ? name.slice(prefix.length).replace(/~[a-z]+$/, "") : undefined;
    if (pointer === undefined || known.has(pointer) || form.getAll(name).every((text) => text === "")) continue;
    return {
      faults: [{ path: "", message: "The tool has changed since the form was opened: look at it, then send it again" }],
    };
  }
  const args = root === undefined || reader.textsOf("", ENDS.mode)[0] === "json"
    ? reader.readWhole()
    : reader.readMembers(root);
  return reader.faults.length > 0 || args === undefined ? { faults: reader.faults } : { args };
}

function listPointers({ members }: GroupField): readonly string[] {
  return members.flatMap((one) => [one.pointer, ...(one.kind === "group" ? listPointers(one) : [])]);
}

class Reader {
  readonly faults: Fault[] = [];
  readonly #form: FormEntries;
  readonly #prefix: string;

  constructor(form: FormEntries, prefix: string) {
    this.#form = form;
    this.#prefix = prefix;
  }

  textsOf(pointer: string, end = ""): readonly string[] {
    return this.#form.getAll(this.#prefix + pointer + end).filter((text) => typeof text === "string");
  }

  readWhole(): JsonObject | undefined {
    const said = readJson(this.textsOf("", ENDS.json)[0] ?? "");
    if (said.kind === "fault") return this.#fail("", said.message);
    // Nothing at all is no arguments, as in a call without a body.
    if (said.kind === "nothing") return {};
    return isJsonObject(said.value) ? said.value : this.#fail("", "Not an object: write { … }");
  }

  readMembers(group: GroupField): JsonObject {
    const members = group.members.flatMap((member) => {
      const value = this.#read(member);
      return value === undefined ? [] : [[member.key, value] as const];
    });
    // A member called `__proto__` becomes a member, not a prototype.
    return Object.fromEntries(members);
  }

  #read(field: FormField): JsonValue | undefined {
    const { pointer, isRequired } = field;
    if (field.kind === "group" && isSwitched(field) && this.textsOf(pointer, ENDS.isOn).length === 0) {
      return isRequired ? null : undefined;
    }
    if (hasNullBox(field) && this.textsOf(pointer, ENDS.isNull).length > 0) return null;
    const [json] = this.textsOf(pointer, ENDS.json);
    if (field.kind === "group" && json === undefined) return this.readMembers(field);
    const said: Said = json !== undefined || field.kind === "group" || field.kind === "json"
      ? readJson(json ?? "")
      : readFieldTexts(field, this.textsOf(pointer));
    if (said.kind === "value") return said.value;
    if (said.kind === "fault") {
      return this.#fail(said.index === undefined ? field.path : `${field.path}[${said.index}]`, said.message);
    }
    return isRequired ? this.#fail(field.path, toWish(field)) : undefined;
  }

  #fail(path: string, message: string): undefined {
    if (this.faults.length < MAX_FAULTS) this.faults.push({ path, message });
  }
}

const TEXT_WISHES: Readonly<Record<string, string>> = {
  date: "Required: choose a date",
  date_time: "Required: choose a date and a time",
};

function toWish(field: FormField): string {
  if (field.kind === "choice") return "Required: choose one";
  if (field.kind === "text") {
    return TEXT_WISHES[field.input] ?? "Required: write a text; an empty one is written as JSON";
  }
  return field.kind === "number" ? "Required: write a number" : "Required: write a value as JSON";
}
