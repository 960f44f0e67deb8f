/**
 * What the controls of a form hold before anybody has changed them.
 *
 * @module
 */

import { isJsonObject, type JsonObject, type JsonValue } from "../protocol.ts";
import { toFieldTexts } from "./field_text.ts";
import { ENDS, type FormField, type GroupField, hasNullBox, isSwitched } from "./form_field.ts";
import type { FormPlan } from "./plan_form.ts";

/** Texts by the names of controls, as `FormData` and `URLSearchParams` have them. */
export interface FormEntries {
  /** All texts of a name. */
  getAll(name: string): readonly unknown[];
}

/** How large a value may be to be shown. */
const MAX_SHOWN_CHARS = 262_144;

/**
 * Fills a form. What a control cannot say exactly, it does not get: that part is written as JSON instead.
 *
 * @param plan The plan of the form.
 * @param prefix The beginning of all names.
 * @param value The value to show; without one, what the schema proposes.
 * @returns The texts.
 */
export function toFormEntries(plan: FormPlan, prefix: string, value: JsonValue | undefined): FormEntries {
  const writer = new Writer(prefix);
  const { root } = plan;
  let fits = root !== undefined && !(plan.isOpen && root.members.length === 0);
  if (root !== undefined) {
    const isKnown = value === undefined || hasOnly(root, value);
    writer.writeMembers(root, isKnown ? value : undefined);
    fits &&= isKnown;
  }
  writer.set(prefix + ENDS.mode, fits ? "fields" : "json");
  writer.set(prefix + ENDS.json, toShownJson(value ?? (root === undefined ? {} : toSkeleton(root))));
  return writer;
}

class Writer implements FormEntries {
  readonly #texts = new Map<string, readonly string[]>();
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  getAll(name: string): readonly string[] {
    return this.#texts.get(name) ?? [];
  }

  set(name: string, ...texts: readonly string[]): void {
    this.#texts.set(name, texts);
  }

  writeMembers(group: GroupField, value: JsonValue | undefined): void {
    const given = isJsonObject(value) ? value : undefined;
    for (const member of group.members) {
      this.#write(member, given === undefined ? undefined : own(given, member.key), given !== undefined);
    }
  }

  #write(field: FormField, given: JsonValue | undefined, isGiven: boolean): void {
    const name = this.#prefix + field.pointer;
    if (field.kind === "group") return this.#writeGroup(field, given, isGiven);
    const value = isGiven ? given : field.proposal;
    if (value === undefined) return;
    if (value === null && hasNullBox(field)) return this.set(name + ENDS.isNull, "true");
    if (field.kind === "json") return this.set(name + ENDS.json, toShownJson(value));
    const texts = toFieldTexts(field, value);
    if (texts !== undefined) this.set(name, ...texts);
    else if (isGiven) this.set(name + ENDS.json, toShownJson(value));
  }

  #writeGroup(field: GroupField, given: JsonValue | undefined, isGiven: boolean): void {
    const name = this.#prefix + field.pointer;
    const value = given ?? (isGiven ? undefined : field.proposal);
    const isOff = given === undefined ? !field.isRequired || value === null : given === null && field.isRequired;
    if (isSwitched(field) && !isOff) this.set(name + ENDS.isOn, "true");
    if (given !== undefined && !hasOnly(field, given) && !(isOff && given === null)) {
      this.set(name + ENDS.json, toShownJson(given));
    }
    this.writeMembers(field, value !== undefined && hasOnly(field, value) ? value : undefined);
  }
}

/** Whether a value is an object without a member that has no field. */
function hasOnly({ members }: GroupField, value: JsonValue): boolean {
  if (!isJsonObject(value)) return false;
  const keys = new Set(members.map(({ key }) => key));
  return Object.keys(value).every((key) => keys.has(key));
}

function own(value: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

/**
 * A value to begin with: what has to be there, and what the schema proposes.
 *
 * @param field A field.
 * @returns The value.
 */
export function toSkeleton(field: FormField): JsonValue {
  if (field.proposal !== undefined && field.kind !== "group") return field.proposal;
  switch (field.kind) {
    case "group": {
      const members = field.members.filter(({ isRequired, proposal }) => isRequired || proposal !== undefined);
      return Object.fromEntries(members.map((member) => [member.key, toSkeleton(member)]));
    }
    case "choice":
      return field.options[0]?.value ?? null;
    case "number":
      return 0;
    case "flag":
      return false;
    case "text":
      return "";
    case "json":
      return {};
    default:
      return [];
  }
}

function toShownJson(value: JsonValue): string {
  const text = JSON.stringify(value, null, 2);
  return text.length <= MAX_SHOWN_CHARS ? text : "";
}
