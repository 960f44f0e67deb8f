/**
 * Faults of a real server that a test asks for: the next requests of a method fail or hang.
 *
 * @module
 */

/** An HTTP answer in place of the real one. */
export interface Failure {
  /** The HTTP status. */
  readonly status: number;
  /** Headers of the answer. */
  readonly headers?: HeadersInit;
  /** Body of the answer. */
  readonly body?: string;
  /** How many requests fail. @default {1} */
  readonly times?: number;
}

type Intervention = { readonly kind: "hang" } | { readonly kind: "fail"; readonly failure: Failure };

/** What is to happen to the next requests, by JSON-RPC method. */
export class Interventions {
  readonly #queues = new Map<string, Intervention[]>();

  /** The next requests of the method get this answer. */
  failNext(rpcMethod: string, failure: Failure): void {
    for (let left = failure.times ?? 1; left > 0; left--) this.#push(rpcMethod, { kind: "fail", failure });
  }

  /** The next requests of the method are accepted and never answered. */
  hangNext(rpcMethod: string, times = 1): void {
    for (let left = times; left > 0; left--) this.#push(rpcMethod, { kind: "hang" });
  }

  /** The answer in place of the real one, or `undefined` where the request is to be served. */
  async apply(rpcMethod: string | undefined, gone: () => AbortSignal): Promise<Response | undefined> {
    const next = rpcMethod === undefined ? undefined : this.#queues.get(rpcMethod)?.shift();
    if (next === undefined) return undefined;
    if (next.kind === "fail") {
      const { status, headers, body } = next.failure;
      return new Response(body ?? null, { status, ...(headers === undefined ? {} : { headers }) });
    }
    await aborted(gone());
    return new Response(null, { status: 503 });
  }

  #push(rpcMethod: string, intervention: Intervention): void {
    const queue = this.#queues.get(rpcMethod) ?? [];
    queue.push(intervention);
    this.#queues.set(rpcMethod, queue);
  }
}

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  else signal.addEventListener("abort", () => resolve(), { once: true });
  return promise;
}
