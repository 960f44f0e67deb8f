/**
 * Goes through a compiled schema with a value, counting every step.
 *
 * @module
 */

import type { JsonValue } from "../protocol.ts";
import type { Place } from "./fault_text.ts";
import type { SchemaResource } from "./schema_document.ts";
import { UnusableSchemaError } from "./unusable_schema_error.ts";

/** One keyword of a schema, ready to look at values. */
export type Rule = (evaluation: Evaluation, frame: Frame) => void;

/** One schema, ready to look at values. */
export interface SchemaNode {
  /** Its keywords, in the order in which they are looked at. */
  readonly rules: Rule[];
  /** The resource that it belongs to. */
  readonly resource: SchemaResource;
  /** Whether no value fits it: the schema `false`. */
  readonly forbids: boolean;
  /** What it wants in words, where its type or its values say so: `a string`, `one of "a", "b"`. */
  wanted?: string | undefined;
  /** The schemas one of which a value has to fit, where its own keywords do not say what it wants. */
  choices?: readonly SchemaNode[] | undefined;
}

/** One fault of a value, before it is written out. */
export interface FoundFault {
  /** Where it is. */
  readonly place: Place | undefined;
  /** What is wrong and what to write instead. */
  readonly message: string;
  /** What was wanted, where the type or the value itself is wrong. */
  readonly wanted?: string | undefined;
  /** Whether the value was to be one of some values: what tells alternatives apart. */
  readonly isIdentity?: boolean | undefined;
}

/** The resources gone through on the way, the innermost first. */
export interface Scope {
  /** The resource. */
  readonly resource: SchemaResource;
  /** Those before it. */
  readonly outer: Scope | undefined;
}

/** No more are shown, so no more are kept. */
const MAX_FAULTS = 20;
const MAX_DEPTH = 600;
/** What a fault costs, as its message has to be written. */
const FAULT_STEPS = 4;

/** One schema looking at one value. */
export class Frame {
  /** The value. */
  readonly value: JsonValue;
  /** Where the value is. */
  readonly place: Place | undefined;
  /** The resources gone through. */
  readonly scope: Scope;
  /** The first faults. */
  readonly faults: FoundFault[] = [];
  /** Whether the value does not fit; without it, it fits as far as could be told. */
  failed = false;
  /** Whether a keyword had to be skipped, so that a value that fits here may not do so in truth. */
  unsure = false;
  #seen: Set<string | number> | undefined;

  /**
   * Creates a frame.
   *
   * @param value The value.
   * @param place Where it is.
   * @param scope The resources gone through.
   */
  constructor(value: JsonValue, place: Place | undefined, scope: Scope) {
    this.value = value;
    this.place = place;
    this.scope = scope;
  }

  /**
   * Records a fault.
   *
   * @param message What is wrong and what to write instead.
   * @param detail Where else than here it is, and what was wanted.
   */
  fail(message: string, detail: Partial<FoundFault> = {}): void {
    this.failed = true;
    if (this.faults.length < MAX_FAULTS) this.faults.push({ place: this.place, message, ...detail });
  }

  /**
   * Takes over what was found in a part of the value.
   *
   * @param part The frame of the part.
   */
  takeFrom(part: Frame): void {
    if (part.failed) this.failed = true;
    if (part.unsure) this.unsure = true;
    for (const fault of part.faults) if (this.faults.length < MAX_FAULTS) this.faults.push(fault);
  }

  /**
   * Takes over what another schema says of the same value, and what it has looked at where the value fits it.
   *
   * @param other The other frame.
   */
  join(other: Frame): void {
    this.takeFrom(other);
    this.seeAll(other);
  }

  /**
   * Takes over what another schema has looked at where the value fits it.
   *
   * @param other The other frame.
   */
  seeAll(other: Frame): void {
    if (!other.failed && other.#seen !== undefined) { for (const key of other.#seen) this.see(key); }
  }

  /** How many keys or indices were looked at. */
  get seenCount(): number {
    return this.#seen?.size ?? 0;
  }

  /**
   * Records that a keyword has looked at a part of the value.
   *
   * @param key The key or the index of the part.
   */
  see(key: string | number): void {
    (this.#seen ??= new Set()).add(key);
  }

  /**
   * Whether a keyword has looked at a part of the value.
   *
   * @param key The key or the index of the part.
   * @returns Whether one has.
   */
  hasSeen(key: string | number): boolean {
    return this.#seen?.has(key) ?? false;
  }
}

/** One check of a value. */
export class Evaluation {
  #stepsLeft: number;
  #depth = 0;

  /** How many steps it may still take. */
  get stepsLeft(): number {
    return this.#stepsLeft;
  }

  /**
   * Begins a check.
   *
   * @param maxSteps How many steps it may take.
   */
  constructor(maxSteps: number) {
    this.#stepsLeft = maxSteps;
  }

  /**
   * Looks at a value with a schema.
   *
   * @param node The schema.
   * @param value The value.
   * @param place Where it is.
   * @param scope The resources gone through.
   * @returns What was found.
   * @throws {UnusableSchemaError} If it takes too many steps, or never comes to an end.
   */
  apply(node: SchemaNode, value: JsonValue, place: Place | undefined, scope?: Scope): Frame {
    if (++this.#depth > MAX_DEPTH) throw new UnusableSchemaError("its references go too deep, or round in circles");
    const { resource, rules } = node;
    const frame = new Frame(value, place, scope?.resource === resource ? scope : { resource, outer: scope });
    for (const rule of rules) {
      this.spend(1);
      rule(this, frame);
    }
    this.spend(1 + frame.faults.length * FAULT_STEPS + frame.seenCount);
    this.#depth--;
    return frame;
  }

  /**
   * Counts steps.
   *
   * @param steps How many.
   * @throws {UnusableSchemaError} If there were too many.
   */
  spend(steps: number): void {
    this.#stepsLeft -= steps;
    if (this.#stepsLeft < 0) throw new UnusableSchemaError("checking the value with it takes too long");
  }
}

/**
 * Goes on with another schema on the same value.
 *
 * @param evaluation The check.
 * @param node The other schema.
 * @param frame The frame of the first.
 * @returns What was found.
 */
export function applyInPlace(evaluation: Evaluation, node: SchemaNode, frame: Frame): Frame {
  return evaluation.apply(node, frame.value, frame.place, frame.scope);
}

/**
 * Goes on with a part of the value.
 *
 * @param evaluation The check.
 * @param node The schema of the part.
 * @param frame The frame of the whole.
 * @param key Where the part is in the whole.
 * @returns What was found.
 */
export function applyToMember(evaluation: Evaluation, node: SchemaNode, frame: Frame, key: string | number): Frame {
  const value = (frame.value as Record<string | number, JsonValue>)[key]!;
  return evaluation.apply(node, value, { parent: frame.place, key }, frame.scope);
}

/**
 * Says what a schema wants.
 *
 * @param node The schema.
 * @param maxHops How many references and choices deep to look.
 * @returns The wish in words, or `undefined` where there is no short way to say it.
 */
export function toWanted(node: SchemaNode, maxHops = 3): string | undefined {
  if (node.wanted !== undefined || node.choices === undefined || maxHops === 0) return node.wanted;
  if (node.choices.length > 5) return undefined;
  const wishes = node.choices.map((choice) => toWanted(choice, maxHops - 1));
  return wishes.every((wish) => wish !== undefined) ? [...new Set(wishes)].join(" or ") : undefined;
}
