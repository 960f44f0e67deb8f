/**
 * Interceptors in a row, run as an onion: the first one listed is the outermost.
 *
 * @module
 */

import { checkTimeout, Deadline } from "../deadline.ts";
import { isMCPError, MCPError } from "../errors.ts";
import type { Tool } from "../protocol.ts";
import type { CallToolOptions } from "../tool_client.ts";
import { checkRequest, createRequest, type RequestFields } from "./create_request.ts";
import type { Interceptor, Next } from "./interceptor.ts";
import type { InterceptedRequest, RequestKind, ResultOf } from "./requests.ts";
import { ToolBook, type ToolBookOptions, type ToolDescription } from "./tool_book.ts";

/** How long a request may take where its caller does not say, in milliseconds. */
const TIMEOUT_MS = 30_000;

const METHODS = {
  call_tool: "callTool",
  list_tools: "listTools",
  read_resource: "readResource",
  list_resources: "listResources",
  list_resource_templates: "listResourceTemplates",
  get_prompt: "getPrompt",
  list_prompts: "listPrompts",
  complete: "complete",
} as const satisfies Readonly<Record<RequestKind, keyof Interceptor>>;

const KINDS = Object.keys(METHODS) as readonly RequestKind[];

const WORDS: Readonly<Record<RequestKind, string>> = {
  call_tool: "call tool",
  list_tools: "list the tools",
  read_resource: "read the resource",
  list_resources: "list the resources",
  list_resource_templates: "list the templates of resources",
  get_prompt: "get prompt",
  list_prompts: "list the prompts",
  complete: "complete an argument",
};

/**
 * What interceptors are given besides the client.
 *
 * @example Servers that are known without asking
 * ```ts
 * import { MultiServerMCPClient } from "@portolan/mcp";
 * import { approval, type InterceptOptions, interceptTools } from "@portolan/mcp/interceptors";
 * import { assertEquals } from "@std/assert";
 *
 * const kairos = new MultiServerMCPClient("Kairos", { servers: {} });
 * const options: InterceptOptions = {
 *   timeoutMs: 10_000,
 *   describe: (name) => ({ server: kairos.findClientForTool(name)?.server }),
 * };
 * await using client = interceptTools(kairos, [approval({ ask: () => false })], options);
 * assertEquals(await client.listTools(), []);
 * ```
 */
export interface InterceptOptions {
  /**
   * How long a request may take where its caller gives no `timeoutMs`, all interceptors included, in milliseconds.
   * @default {30_000}
   */
  readonly timeoutMs?: number | undefined;
  /**
   * What is known of a tool already; comes before what its client lists. It must not throw.
   * @default {Nothing: the client is asked where an interceptor has to know}
   */
  readonly describe?: ((name: string) => ToolDescription | undefined) | undefined;
  /** The time, in milliseconds since the epoch. @default {Date.now} */
  readonly now?: (() => number) | undefined;
}

/** What a chain is given besides its interceptors. */
export interface ChainOptions extends InterceptOptions {
  /** Lists the tools. Without it nothing is asked. */
  readonly listTools?: ToolBookOptions["listTools"];
}

/** Makes the request, once the last interceptor has passed it on. */
export type Terminal<K extends RequestKind> = (request: RequestFields<K>) => Promise<ResultOf<K>>;

type Step<K extends RequestKind> = (
  request: InterceptedRequest<K>,
  next: Next<InterceptedRequest<K>, ResultOf<K>>,
) => ResultOf<K> | Promise<ResultOf<K>>;

/** What a request has come to. */
interface Run<K extends RequestKind> {
  readonly steps: readonly Step<K>[];
  readonly terminal: Terminal<K>;
  /** How often it was passed on and has not come back. */
  pending: number;
  /** How often it was made and not provably without effect. */
  made: number;
}

/** Runs requests through interceptors. It keeps nothing between two requests but what it has learned of tools. */
export class InterceptorChain {
  readonly #steps: ReadonlyMap<RequestKind, readonly Step<RequestKind>[]>;
  readonly #book: ToolBook;
  readonly #timeoutMs: number;
  readonly #settled = new MCPError("closed", "Cannot go on with a request as its caller has been answered");

  /**
   * Creates a chain.
   *
   * @param interceptors The first one is the outermost.
   * @param options The default deadline, and what is known of tools.
   * @throws {TypeError} If one of them intercepts nothing.
   * @throws {RangeError} If `timeoutMs` is not a positive number.
   */
  constructor(interceptors: readonly Interceptor[], options: ChainOptions = {}) {
    const { timeoutMs = TIMEOUT_MS } = options;
    checkTimeout("timeoutMs", timeoutMs);
    const idle = interceptors.findIndex((interceptor) =>
      KINDS.every((kind) => toSteps(interceptor, kind).length === 0)
    );
    if (idle !== -1) {
      throw new TypeError(
        `Cannot use interceptor ${idle + 1} as it intercepts nothing: it has no method such as "callTool"`,
      );
    }
    this.#steps = new Map(KINDS.map((kind) => [kind, interceptors.flatMap((one) => toSteps(one, kind))]));
    this.#book = new ToolBook(options);
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Whether any interceptor looks at requests of a kind. Where none does, {@linkcode InterceptorChain.run} is a call of
   * the terminal and no more.
   *
   * @param kind The kind.
   * @returns Whether one does.
   */
  handles(kind: RequestKind): boolean {
    return this.#steps.get(kind)!.length > 0;
  }

  /**
   * Runs a request through the interceptors.
   *
   * @param fields The request as its caller made it.
   * @param terminal Makes it, in the end; called as often as the innermost interceptor passes it on.
   * @returns What the outermost interceptor answers.
   * @throws {MCPError} With `deadline_exceeded` if that takes too long; it is `retryable` where no tool can have run.
   * @throws {unknown} The caller's own reason where the caller aborts, and whatever an interceptor throws.
   */
  run<K extends RequestKind>(fields: RequestFields<K>, terminal: Terminal<K>): Promise<ResultOf<K>> {
    // Only that `kind` is the same in both is lost on the compiler.
    const steps = this.#steps.get(fields.kind) as unknown as readonly Step<K>[];
    const make = fields.kind === "list_tools" && this.handles("call_tool") ? this.#learning(terminal) : terminal;
    return steps.length === 0 ? make(fields) : this.#run(fields, { steps, terminal: make, pending: 0, made: 0 });
  }

  async #run<K extends RequestKind>(fields: RequestFields<K>, run: Run<K>): Promise<ResultOf<K>> {
    const { timeoutMs = this.#timeoutMs, inputTimeoutMs = 0, signal }: CallToolOptions = fields.options;
    checkTimeout("timeoutMs", timeoutMs);
    signal?.throwIfAborted();
    const over = new AbortController();
    using deadline = new Deadline(timeoutMs + inputTimeoutMs, { signal, owner: over.signal });
    const options = { ...fields.options, signal: deadline.signal };
    const request = createRequest({ ...fields, options }, { deadline, book: this.#book });
    const work = passOn(run, 0, request);
    try {
      return await deadline.race(work);
    } catch (error) {
      const { reason } = deadline.signal;
      if (!deadline.passed || error !== reason) throw error;
      const failure = toDeadlineError(request, run.made, reason);
      if (run.pending === 0) throw failure;
      // Whoever the request was passed to knows more of the failure than we do: it is given one turn to tell.
      return await nextTurn(work, failure).catch((last) => Promise.reject(last === reason ? failure : last));
    } finally {
      // An interceptor that wakes up later passes nothing on any more, and what it left running is ended.
      over.abort(this.#settled);
    }
  }

  #learning<K extends RequestKind>(terminal: Terminal<K>): Terminal<K> {
    return async (request) => {
      const tools = await terminal(request);
      this.#book.learn(tools as readonly Tool[]);
      return tools;
    };
  }
}

/**
 * Makes a chain; for clients that run their requests through interceptors themselves.
 *
 * @param interceptors The first one is the outermost.
 * @param options The default deadline, and what is known of tools.
 * @returns The chain.
 * @throws {TypeError} If one of them intercepts nothing.
 * @throws {RangeError} If `timeoutMs` is not a positive number.
 */
export function createChain(
  interceptors: readonly Interceptor[] = [],
  options: ChainOptions = {},
): InterceptorChain {
  return new InterceptorChain(interceptors, options);
}

/** The methods of an interceptor that look at a kind, the outer one first. */
function toSteps(interceptor: Interceptor, kind: RequestKind): readonly Step<RequestKind>[] {
  return (["any", METHODS[kind]] as const).flatMap((method) => {
    if (interceptor[method] === undefined) return [];
    // The method of a kind is run with requests of that kind alone.
    return [(request, next) => (interceptor[method] as Step<RequestKind>)(request, next)] as Step<RequestKind>[];
  });
}

async function passOn<K extends RequestKind>(
  run: Run<K>,
  index: number,
  request: InterceptedRequest<K>,
): Promise<ResultOf<K>> {
  const step = run.steps[index];
  if (step === undefined) return await make(run, request);
  return await step(request, (changed = request) => {
    const passed = passOnward(run, index + 1, { changed, kind: request.kind });
    // An interceptor that does not care what becomes of it must not end the process.
    passed.catch(() => {});
    return passed;
  });
}

async function passOnward<K extends RequestKind>(
  run: Run<K>,
  index: number,
  { changed, kind }: { readonly changed: InterceptedRequest<K>; readonly kind: K },
): Promise<ResultOf<K>> {
  checkRequest(changed, kind);
  changed.options.signal?.throwIfAborted();
  run.pending++;
  try {
    return await passOn(run, index, changed);
  } finally {
    run.pending--;
  }
}

async function make<K extends RequestKind>(run: Run<K>, request: InterceptedRequest<K>): Promise<ResultOf<K>> {
  run.made++;
  try {
    return await run.terminal(request as unknown as RequestFields<K>);
  } catch (error) {
    if (isMCPError(error) && error.retryable) run.made--;
    throw error;
  }
}

function toDeadlineError(request: InterceptedRequest, made: number, cause: unknown): MCPError {
  const { kind, target, server } = request;
  const hasName = kind === "call_tool" || kind === "get_prompt";
  const what = hasName ? `${WORDS[kind]} "${target}"` : WORDS[kind];
  const mayHaveRun = kind === "call_tool" && made > 0;
  const why = mayHaveRun ? "; the call was made and may have run" : "";
  return new MCPError("deadline_exceeded", `Cannot ${what} as the deadline passed among its interceptors${why}`, {
    server,
    retryable: !mayHaveRun,
    cause,
  });
}

/** Waits one turn for work to settle. */
async function nextTurn<T>(work: Promise<T>, failure: MCPError): Promise<T> {
  const { promise: turn, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(failure));
  try {
    return await Promise.race([work, turn]);
  } finally {
    clearTimeout(timer);
  }
}
