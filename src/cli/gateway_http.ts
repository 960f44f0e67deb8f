/**
 * Requests to a running gateway.
 *
 * @module
 */

import { Deadline, OPERATION_TIMEOUT_MS } from "../deadline.ts";
import { MCPError } from "../errors.ts";
import { PROBLEM_KINDS } from "../gateway/problem.ts";
import { whyNeverSent } from "../network_errors.ts";
import { type JsonObject, parseJsonObject } from "../protocol.ts";
import { TIMEOUT_HEADER } from "../rest/request_timeout.ts";
import type { RequestOptions } from "../tool_client.ts";
import { CliError, GatewayProblem } from "./cli_error.ts";

/** How much longer than the gateway this side waits, so that the gateway's own answer is the one that is told. */
const PATIENCE_MS = 1_000;

/** A request as a command wants it. */
export interface GatewayRequest extends RequestOptions {
  /** The method. @default {"GET"} */
  readonly method?: string | undefined;
  /** The body, sent as JSON. */
  readonly body?: JsonObject | undefined;
  /** What is wanted. @default {"application/json"} */
  readonly accept?: string | undefined;
}

/** Where a gateway is, and how it is asked. */
export interface GatewayHttpDeps {
  /** Its address. */
  readonly url: URL;
  /** The key, where there is one. It goes into a header and nowhere else. */
  readonly key: string | undefined;
  /** The way to the network. */
  readonly fetch: typeof fetch;
}

/** A running gateway. */
export class GatewayHttp {
  readonly #deps: GatewayHttpDeps;

  /**
   * Takes the address; nothing is sent.
   *
   * @param deps Where the gateway is.
   */
  constructor(deps: GatewayHttpDeps) {
    this.#deps = deps;
  }

  /**
   * Asks for JSON.
   *
   * @param path The path, encoded.
   * @param request The request.
   * @returns The answer.
   * @throws {GatewayProblem} If the gateway answers a problem.
   * @throws {CliError} If what answers is no gateway.
   * @throws {MCPError} If nobody answers: `unreachable`, `deadline_exceeded`.
   */
  async json(path: string, request: GatewayRequest = {}): Promise<JsonObject> {
    return await this.read(path, request, async (response) => {
      return parseJsonObject(await response.text()) ?? this.#refuse("its answer is no JSON object");
    });
  }

  /**
   * Sends a request and reads its answer within one deadline.
   *
   * @param path The path, encoded.
   * @param request The request.
   * @param read Reads the answer, which is no problem.
   * @returns What was read.
   */
  async read<T>(path: string, request: GatewayRequest, read: (response: Response) => Promise<T>): Promise<T> {
    const { method = "GET", timeoutMs = OPERATION_TIMEOUT_MS, signal } = request;
    using deadline = new Deadline(timeoutMs + PATIENCE_MS, { signal });
    try {
      const response = await this.#send(path, request, deadline.signal);
      if (!response.ok) throw await this.#toProblem(response);
      return await read(response);
    } catch (error) {
      signal?.throwIfAborted();
      const mayHaveRun = method === "GET" ? "" : "; it may have done what was asked";
      if (deadline.passed) {
        const message = `Cannot use the gateway as it did not answer within ${timeoutMs} ms${mayHaveRun}`;
        throw new MCPError("deadline_exceeded", message, { cause: error });
      }
      if (error instanceof MCPError || error instanceof GatewayProblem || error instanceof CliError) throw error;
      throw this.#toLost(error, mayHaveRun);
    }
  }

  #toLost(cause: unknown, mayHaveRun: string): MCPError {
    const { origin } = this.#deps.url;
    const reason = whyNeverSent(cause);
    if (reason !== undefined) {
      const message = `Cannot reach the gateway at ${origin} as ${reason}: start it, or give its address by --url`;
      return new MCPError("unreachable", message, { retryable: true, cause });
    }
    const message = `Cannot use the gateway at ${origin} as the connection broke before the answer${mayHaveRun}`;
    return new MCPError(mayHaveRun === "" ? "unreachable" : "outcome_unknown", message, { cause });
  }

  async #send(path: string, request: GatewayRequest, signal: AbortSignal): Promise<Response> {
    const { method = "GET", body, accept = "application/json", timeoutMs } = request;
    const { url, key } = this.#deps;
    const headers: Record<string, string> = { accept };
    if (key !== undefined) headers.authorization = `Bearer ${key}`;
    if (timeoutMs !== undefined) headers[TIMEOUT_HEADER] = String(timeoutMs);
    if (body !== undefined) headers["content-type"] = "application/json";
    const init = { method, headers, redirect: "manual" as const, signal };
    const target = `${url.origin}${url.pathname.replace(/\/+$/, "")}${path}`;
    // As a stream: a text would be sent again where a connection that was kept breaks, and the call made twice.
    const sent = body === undefined ? undefined : new Blob([JSON.stringify(body)]).stream();
    return await this.#deps.fetch(target, sent === undefined ? init : { ...init, body: sent });
  }

  async #toProblem(response: Response): Promise<Error> {
    const text = await response.text();
    if (response.status >= 300 && response.status < 400) return this.#refusal("it redirects elsewhere");
    const problem = parseJsonObject(text);
    if (problem === undefined || !Object.hasOwn(PROBLEM_KINDS, String(problem.code))) {
      return this.#refusal(`it answers with HTTP status ${response.status}`);
    }
    return new GatewayProblem(problem);
  }

  #refuse(reason: string): never {
    throw this.#refusal(reason);
  }

  #refusal(reason: string): CliError {
    const message = `Cannot use ${this.#deps.url.origin} as a gateway as ${reason}: give its address by --url`;
    return new CliError("bad_gateway_answer", message);
  }
}
