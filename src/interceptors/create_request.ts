/**
 * Makes the requests that interceptors see.
 *
 * @module
 */

import type { Deadline } from "../deadline.ts";
import { MCPError } from "../errors.ts";
import type { Tool } from "../protocol.ts";
import { MAX_DEPTH, toFrozen } from "../frozen_json.ts";
import type { CallToolChanges } from "./request_changes.ts";
import type { InterceptedRequest, RequestKind, RequestOf } from "./requests.ts";
import type { ToolBook } from "./tool_book.ts";

/** The members that a request gets when it is made. */
type MadeMember = "with" | "target" | "server" | "remainingMs" | "tool" | "findTool";

/** What a request of a kind is made of: the kind, what is asked for, the options. */
export type RequestFields<K extends RequestKind> =
  & { readonly kind: K }
  & Pick<RequestOf<K>, Exclude<keyof RequestOf<K>, MadeMember>>;

/** What requests know beyond their fields. */
export interface RequestContext {
  /** The end of the whole request. */
  readonly deadline: Deadline;
  /** What is known of tools. */
  readonly book: ToolBook;
}

/** The fields of all kinds at once. */
interface AnyFields extends Omit<CallToolChanges, "options"> {
  readonly kind: RequestKind;
  readonly options: { readonly server?: string | undefined; readonly signal?: AbortSignal | undefined };
  readonly uri?: string | undefined;
  readonly reference?: { readonly name?: string; readonly uri?: string } | undefined;
}

/**
 * Makes a request.
 *
 * @param fields What it is made of.
 * @param context What it knows beyond that.
 * @returns The request, frozen with everything in it.
 * @throws {MCPError} With `invalid_arguments` if its arguments hold themselves or are nested deeper than 256 levels.
 */
export function createRequest<K extends RequestKind>(
  fields: RequestFields<K>,
  context: RequestContext,
): InterceptedRequest<K> {
  const { options, ...content } = fields;
  const frozen = toFrozen(content);
  if (frozen === undefined) {
    throw new MCPError(
      "invalid_arguments",
      `Cannot pass on the request as its arguments hold themselves or are nested deeper than ${MAX_DEPTH} levels`,
    );
  }
  // The compiler cannot tell that the fields of a kind and the members made for it are the request of that kind.
  return new MadeRequest({ ...frozen, options } as AnyFields, context) as object as InterceptedRequest<K>;
}

/**
 * Checks what an interceptor passes on.
 *
 * @param request What it passes on.
 * @param kind The kind of request it was given.
 * @throws {TypeError} If it is no request of that kind.
 */
export function checkRequest(request: InterceptedRequest, kind: RequestKind): void {
  if (!MadeRequest.isMade(request)) {
    throw new TypeError("Cannot pass on a request as it was not made by request.with()");
  }
  if (request.kind !== kind) {
    throw new TypeError(`Cannot pass on a request of kind "${request.kind}" as the one given is of kind "${kind}"`);
  }
}

/** A request of any kind. The fields of its kind are its own members; the rest is there for all kinds. */
class MadeRequest {
  readonly #fields: AnyFields;
  readonly #context: RequestContext;
  readonly kind: RequestKind;
  readonly target: string | undefined;
  readonly options: AnyFields["options"];

  constructor(fields: AnyFields, context: RequestContext) {
    const { kind, name, uri, reference, options } = Object.assign(this, fields);
    this.#fields = fields;
    this.#context = context;
    this.kind = kind;
    this.target = name ?? uri ?? reference?.name ?? reference?.uri;
    // Who takes the signal away does not thereby outlive the request.
    this.options = Object.freeze({ ...options, signal: options.signal ?? context.deadline.signal });
    Object.freeze(this);
  }

  /** A copy by `{ ...request }` was not made here. */
  static isMade(value: unknown): boolean {
    return typeof value === "object" && value !== null && #context in value;
  }

  get server(): string | undefined {
    return this.options.server ?? (this.kind === "call_tool" ? this.#context.book.get(this.target!).server : undefined);
  }

  get remainingMs(): number {
    return this.#context.deadline.remainingMs;
  }

  get tool(): Tool | undefined {
    return this.#context.book.get(this.target!).tool;
  }

  findTool(): Promise<Tool | undefined> {
    return this.#context.book.find(this.target!, { timeoutMs: this.remainingMs, signal: this.options.signal! });
  }

  with({ options: over, ...changes }: Partial<AnyFields>): object {
    const fields = this.#fields;
    const given = Object.entries(changes).filter(([key, value]) => {
      return key !== "kind" && key in fields && value !== undefined;
    });
    const options = over === undefined ? this.options : { ...this.options, ...over };
    if (given.length === 0) return new MadeRequest({ ...fields, options }, this.#context);
    const changed = { ...fields, ...Object.fromEntries(given), options };
    return createRequest(changed as RequestFields<RequestKind>, this.#context);
  }
}
