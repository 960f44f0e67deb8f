/**
 * Checks a tool's arguments and results with its schemas: without `eval`, without a request, and without ever holding
 * up the event loop for long.
 *
 * @module
 */

import type { JsonObject, JsonValue } from "../protocol.ts";
import { MAX_SCHEMA_CHARS } from "../tools/tool_shape.ts";
import type { CompiledSchema } from "./compiled_schema.ts";
import { type JsonLimits, sizeUp } from "./json_size.ts";
import type { SchemaVerdict } from "./schema_verdict.ts";
import { UnusableSchemaError } from "./unusable_schema_error.ts";

/** How a {@linkcode SchemaChecker} works, and what it refuses to look at. */
export interface SchemaCheckerOptions {
  /** How many compiled schemas are kept; those used last stay. @default {256} */
  readonly maxCompiled?: number | undefined;
  /** How many characters of JSON a value may have, roughly. @default {1_048_576} */
  readonly maxValueChars?: number | undefined;
  /** How many values a value may hold, itself and those within. @default {10_000} */
  readonly maxValueNodes?: number | undefined;
  /** How many levels a value may have. @default {64} */
  readonly maxValueDepth?: number | undefined;
  /** How many steps a check may take; one takes less than a microsecond. @default {100_000} */
  readonly maxSteps?: number | undefined;
  /** Lets other work run, where compiling and slow checks have taken some milliseconds. @default {a timer of 0 ms} */
  readonly pause?: (() => Promise<void>) | undefined;
  /** A clock, in milliseconds. @default {performance.now} */
  readonly now?: (() => number) | undefined;
}

type Outcome = CompiledSchema | UnusableSchemaError;

/** What is kept of a schema; without `outcome` where it had to make room. */
interface Entry {
  /** The schema as JSON; empty where it was refused before it was written down. */
  readonly text: string;
  outcome: Outcome | undefined;
  /** Whether a check took so long that others have to wait their turn. */
  isSlow: boolean;
}

const MAX_SCHEMA_DEPTH = 128;
/** How long other work waits, apart from the last schema's own time. */
const MAX_BUSY_MS = 8;

/**
 * Checks values with JSON Schema: 2020-12 where `$schema` is absent, and the drafts 2019-09, 07, 06 and 04. `format` says
 * nothing about validity; references stay within the schema; patterns run in linear time, and one that looks around or
 * back is skipped. A schema is compiled when it is first used; it must not be changed after.
 *
 * @example
 * ```ts
 * import { SchemaChecker } from "./schema_checker.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
 * const checker = new SchemaChecker();
 * assertEquals(await checker.check(schema, { city: "Oslo" }), { kind: "valid" });
 * assertEquals(await checker.check(schema, {}), {
 *   kind: "invalid",
 *   faults: [{ path: "city", message: "Missing: add it as a string" }],
 * });
 * ```
 */
export class SchemaChecker {
  readonly #maxCompiled: number;
  readonly #valueLimits: JsonLimits;
  readonly #maxSteps: number;
  readonly #pause: () => Promise<void>;
  readonly #bySchema = new WeakMap<JsonObject, Entry>();
  /** In the order of use, for the same schema in a list that was read anew. */
  readonly #byText = new Map<string, Entry>();
  readonly #now: () => number;
  #busySinceMs = 0;
  #lastTurn: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /**
   * Creates a checker; nothing is loaded.
   *
   * @param options What it refuses to look at.
   * @throws {RangeError} If a number is not a positive integer.
   */
  constructor(options: SchemaCheckerOptions = {}) {
    const { maxCompiled = 256, maxValueChars = 1_048_576, maxValueNodes = 10_000, maxValueDepth = 64 } = options;
    const { maxSteps = 100_000, pause = pauseShortly, now = () => performance.now() } = options;
    for (
      const [name, value] of Object.entries({ maxCompiled, maxValueChars, maxValueNodes, maxValueDepth, maxSteps })
    ) {
      if (!Number.isSafeInteger(value) || value < 1) {
        throw new RangeError(`Cannot create a schema checker as ${name} has to be a positive integer: ${value}`);
      }
    }
    this.#maxCompiled = maxCompiled;
    this.#valueLimits = { maxChars: maxValueChars, maxNodes: maxValueNodes, maxDepth: maxValueDepth };
    this.#maxSteps = maxSteps;
    this.#pause = pause;
    this.#now = now;
  }

  /**
   * Checks a value.
   *
   * @param schema The schema.
   * @param value The value; what is not JSON is checked as `JSON.stringify` writes it.
   * @returns The verdict; `unusable` where nothing can be said, which is never the value's fault.
   */
  async check(schema: JsonObject, value: unknown): Promise<SchemaVerdict> {
    const entry = this.#bySchema.get(schema);
    if (entry?.outcome !== undefined && !entry.isSlow) return this.#check(entry, entry.outcome, value);
    return await this.#inTurn(async () => {
      const { CompiledSchema } = await import("./compiled_schema.ts");
      const entry = this.#recall(schema);
      entry.outcome ??= attempt(() => new CompiledSchema(entry.text));
      return this.#check(entry, entry.outcome, value);
    });
  }

  #check(entry: Entry, outcome: Outcome, value: unknown): SchemaVerdict {
    this.#keep(entry);
    const found = outcome instanceof UnusableSchemaError
      ? outcome
      : attempt(() => outcome.check(toJson(value, this.#valueLimits), this.#maxSteps));
    if (found instanceof UnusableSchemaError) return { kind: "unusable", reason: found.message };
    if (found.isSlow) entry.isSlow = true;
    return found.verdict;
  }

  /** One at a time, and something else in between: thousands of tools can be called at once. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting++ === 0) this.#busySinceMs = this.#now();
    const turn = this.#lastTurn.then(work);
    const rest = async () => {
      if (--this.#waiting === 0 || this.#now() - this.#busySinceMs < MAX_BUSY_MS) return;
      await this.#pause();
      this.#busySinceMs = this.#now();
    };
    this.#lastTurn = turn.then(rest, rest).catch(() => {});
    return turn;
  }

  #recall(schema: JsonObject): Entry {
    const known = this.#bySchema.get(schema);
    if (known?.outcome !== undefined) return known;
    const text = attempt(() => toSchemaText(schema));
    const entry: Entry = typeof text === "string"
      ? this.#byText.get(text) ?? { text, outcome: undefined, isSlow: false }
      : { text: "", outcome: text, isSlow: false };
    this.#bySchema.set(schema, entry);
    return entry;
  }

  /** Makes an entry the last to go, and lets go of the first one where there are too many. */
  #keep(entry: Entry): void {
    // What was refused unread is as small as its reason.
    if (entry.text === "") return;
    this.#byText.delete(entry.text);
    this.#byText.set(entry.text, entry);
    const [oldest] = this.#byText.values();
    if (this.#byText.size <= this.#maxCompiled || oldest === undefined) return;
    this.#byText.delete(oldest.text);
    oldest.outcome = undefined;
  }
}

function toSchemaText(schema: JsonObject): string {
  const size = sizeUp(schema, { maxChars: MAX_SCHEMA_CHARS, maxNodes: MAX_SCHEMA_CHARS, maxDepth: MAX_SCHEMA_DEPTH });
  if (size === "too_deep") throw new UnusableSchemaError(`it has more than ${MAX_SCHEMA_DEPTH} levels`);
  const text = size === "too_large" ? undefined : JSON.stringify(schema);
  if (text === undefined || text.length > MAX_SCHEMA_CHARS) {
    throw new UnusableSchemaError(`it passes ${MAX_SCHEMA_CHARS} characters`);
  }
  return text;
}

/** The value as it is sent: what is not JSON is written as JSON first. */
function toJson(value: unknown, limits: JsonLimits): JsonValue {
  let json = value;
  let size = sizeUp(json, limits);
  if (size === "foreign") {
    json = toPlain(value);
    size = sizeUp(json, limits);
  }
  if (size === "too_deep") throw new UnusableSchemaError(`the value has more than ${limits.maxDepth} levels`);
  if (size !== "plain") throw new UnusableSchemaError("the value is too large to be checked");
  return json as JsonValue;
}

function toPlain(value: unknown): unknown {
  try {
    // What has no JSON at all is `undefined` here, which is not JSON either.
    return JSON.parse(JSON.stringify(value));
  } catch {
    throw new UnusableSchemaError("the value is not JSON");
  }
}

/** No schema and no value may fail a call because they cannot be checked, whatever the reason. */
function attempt<T>(work: () => T): T | UnusableSchemaError {
  try {
    return work();
  } catch (error) {
    return error instanceof UnusableSchemaError ? error : new UnusableSchemaError("the check itself failed");
  }
}

function pauseShortly(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
