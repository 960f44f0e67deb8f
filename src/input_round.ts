/**
 * Rounds in the hands of the caller: what a server of the modern era asks is given to whoever made the request, who sends
 * it again with the answers (specification 2026-07-28, Multi Round-Trip Requests).
 *
 * @module
 */

import { MCPError, type MCPErrorOptions } from "./errors.ts";
import type { JsonObject } from "./protocol.ts";

/**
 * One round of a request whose questions the caller answers. Answers and state are for the server that asked: call its
 * tool by the qualified name `server__tool`, and name the `server` of a read, as a bare name may have a new owner.
 *
 * @example The next round after an error with questions
 * ```ts
 * import { InputRequiredError, type InputRound } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const toNext = (round: InputRound, { inputRequests = {}, requestState }: InputRequiredError): InputRound => {
 *   const answers = Object.keys(inputRequests).map((key) => [key, { action: "accept", content: { port: "Genoa" } }]);
 *   return { ...round, inputResponses: Object.fromEntries(answers), requestState };
 * };
 * const first: InputRound = { capabilities: { elicitation: { form: {} } } };
 * const error = new InputRequiredError({ server: "travel", inputRequests: {}, requestState: "s1" });
 * assertEquals(toNext(first, error).requestState, "s1");
 * ```
 */
export interface InputRound {
  /**
   * What the one who is asked can answer, as the client capabilities that are declared to the server for this request:
   * `{ elicitation: { form: {} }, sampling: {}, roots: {} }`.
   */
  readonly capabilities: JsonObject;
  /** Answers to the questions of the round before, by the server's own keys. */
  readonly inputResponses?: JsonObject | undefined;
  /** The state that the server gave with these questions. */
  readonly requestState?: string | undefined;
}

/**
 * Whether a round goes on with what a server asked: then it is for that server, and for no other.
 *
 * @param round The round, where there is one.
 * @returns Whether it carries answers or a state.
 */
export function hasAnswers({ inputResponses, requestState }: Partial<InputRound> = {}): boolean {
  return inputResponses !== undefined || requestState !== undefined;
}

/**
 * What a server asks.
 *
 * @example
 * ```ts
 * import { InputRequiredError, type InputRequiredOptions } from "@portolan/mcp";
 * import { assertEquals } from "@std/assert";
 *
 * const options: InputRequiredOptions = { server: "travel", requestState: "s1" };
 * assertEquals(new InputRequiredError(options).inputRequests, undefined);
 * ```
 */
export interface InputRequiredOptions {
  /** The configured name of the server that asks. */
  readonly server: string;
  /** Its questions by its own keys: each has a `method` and may have `params`. */
  readonly inputRequests?: JsonObject | undefined;
  /** What it wants back with the answers. */
  readonly requestState?: string | undefined;
}

/**
 * A server asks for input before it answers a request that was made with a `round`. Nothing has been answered: send the
 * request again with the answers and the state. Its code is `input_required`. Questions and state are the server's own
 * text; they show in no log and are read by name alone.
 *
 * @example
 * ```ts
 * import { InputRequiredError, type ToolClient, type ToolResult } from "@portolan/mcp";
 *
 * async function callOrAsk(client: ToolClient): Promise<ToolResult | InputRequiredError> {
 *   const round = { capabilities: { elicitation: { form: {} } } };
 *   try {
 *     return await client.callTool("book", { port: "Genoa" }, { round });
 *   } catch (error) {
 *     if (error instanceof InputRequiredError) return error;
 *     throw error;
 *   }
 * }
 * ```
 */
export class InputRequiredError extends MCPError {
  readonly #inputRequests: JsonObject | undefined;
  readonly #requestState: string | undefined;

  /**
   * Creates an error.
   *
   * @param options Who asks what.
   */
  constructor(options: InputRequiredOptions) {
    const { server, inputRequests, requestState } = options;
    super(
      "input_required",
      `Cannot finish the request to server "${server}" as it asks for input: send it again with the answers`,
      { server },
    );
    this.name = "InputRequiredError";
    this.#inputRequests = inputRequests;
    this.#requestState = requestState;
  }

  /** The questions by the server's own keys; `undefined` where the request was only put off. */
  get inputRequests(): JsonObject | undefined {
    return this.#inputRequests;
  }

  /** The state to send back with the answers; `undefined` where the server gave none. */
  get requestState(): string | undefined {
    return this.#requestState;
  }
}

/**
 * A server asks for what was not declared that the caller can answer. Its code is `input_required`.
 */
export class UndeclaredInputError extends MCPError {
  /** What would have had to be declared, as client capabilities. */
  readonly requiredCapabilities: JsonObject;

  /**
   * Creates an error.
   *
   * @param message What could not be done.
   * @param options The server, and what it would have needed.
   */
  constructor(message: string, options: MCPErrorOptions & { readonly requiredCapabilities: JsonObject }) {
    super("input_required", message, options);
    this.name = "UndeclaredInputError";
    this.requiredCapabilities = options.requiredCapabilities;
  }
}

/** The capabilities that questions need, with the parts of each: nothing else that a server names is told. */
const KNOWN: ReadonlyMap<string, readonly string[]> = new Map([
  ["elicitation", ["form", "url"]],
  ["sampling", ["tools", "context"]],
  ["roots", []],
]);

/**
 * The capabilities that a server wants declared, without what is its own text.
 *
 * @param capabilities What the server named.
 * @returns The known ones of it.
 */
export function toKnownCapabilities(capabilities: unknown): JsonObject {
  const named: Record<string, unknown> = Object(capabilities);
  const known = [...KNOWN].filter(([name]) => Object.hasOwn(named, name)).map(([name, parts]) => {
    const value: Record<string, unknown> = Object(named[name]);
    return [name, Object.fromEntries(parts.filter((part) => Object.hasOwn(value, part)).map((part) => [part, {}]))];
  });
  return Object.fromEntries(known);
}
