/**
 * What a modern caller carries from one round of a request to the next: sealed, and bound to who asks what (specification
 * 2026-07-28, Multi Round-Trip Requests, Security Considerations).
 *
 * @module
 */

import { MIN_SECRET_BYTES, Sealer } from "../cache/sealer.ts";
import { sha256Hex } from "../cache/sha256.ts";
import { isJsonObject, type JsonValue, toSortedText } from "../protocol.ts";
import type { Clock } from "./clock.ts";
import { invalidParams, type RpcError } from "./rpc.ts";

/** How long a caller may take to come back with answers, in milliseconds. */
export const STATE_TTL_MS = 10 * 60_000;
/** How long a state may be that comes back, in characters. */
const MAX_STATE_CHARS = 512 * 1024;

/** The request that a state belongs to. It opens for an equal one alone. */
export interface StateBinding {
  /** The agent. */
  readonly agent: string;
  /** Who asks. */
  readonly caller: string;
  /** The method. */
  readonly method: string;
  /** The tool, the prompt, or the URI. */
  readonly name: string;
  /** The arguments. */
  readonly args: JsonValue;
}

/** What is kept between rounds. */
export type RoundState =
  | {
    /** A server of the modern era has asked, and keeps nothing. */
    readonly kind: "server";
    /** The server that asked. */
    readonly server: string;
    /** What it wants back. */
    readonly state?: string | undefined;
  }
  | {
    /** A request to a server of the legacy era waits in an instance of the gateway. */
    readonly kind: "waiting";
    /** The instance. */
    readonly instance: string;
    /** The request that waits there. */
    readonly id: string;
    /** How often the caller has been asked. */
    readonly round: number;
  };

/** Seals and opens states. */
export class RequestStates {
  readonly #secret: Uint8Array;
  readonly #clock: Clock;
  /** Made when the first state is sealed or opened: most callers have none. */
  #made: Sealer | undefined;

  /**
   * Creates it.
   *
   * @param secret The secret that all instances share; without one, states open in this instance alone.
   * @param clock Tells the time.
   * @throws {RangeError} If the secret has less than 16 bytes.
   */
  constructor(secret: Uint8Array | undefined, clock: Clock) {
    if (secret !== undefined && secret.byteLength < MIN_SECRET_BYTES) {
      throw new RangeError(`Cannot use a store secret of less than ${MIN_SECRET_BYTES} bytes: ${secret.byteLength}`);
    }
    this.#secret = secret ?? crypto.getRandomValues(new Uint8Array(32));
    this.#clock = clock;
  }

  get #sealer(): Sealer {
    return this.#made ??= new Sealer(this.#secret);
  }

  /**
   * Seals a state.
   *
   * @param state The state.
   * @param binding The request that it belongs to.
   * @returns The text for the caller.
   */
  async seal(state: RoundState, binding: StateBinding): Promise<string> {
    const expiresAtMs = this.#clock.now() + STATE_TTL_MS;
    return await this.#sealer.seal(JSON.stringify({ ...state, expiresAtMs }), await toBoundText(binding));
  }

  /**
   * Opens a state.
   *
   * @param sealed What the caller sent.
   * @param binding The request it came with.
   * @returns The state.
   * @throws {RpcError} With `-32602`, always the same, if it is not one of this request, was changed, or is too old.
   */
  async open(sealed: unknown, binding: StateBinding): Promise<RoundState> {
    const isText = typeof sealed === "string" && sealed.length <= MAX_STATE_CHARS;
    const text = isText ? await this.#sealer.open(sealed, await toBoundText(binding)) : undefined;
    const value: unknown = text === undefined ? undefined : JSON.parse(text);
    if (!isJsonObject(value) || !(Number(value.expiresAtMs) > this.#clock.now())) throw refuseState();
    return value as unknown as RoundState;
  }
}

/**
 * The error of every state that cannot be used, whatever is wrong with it.
 *
 * @returns The error.
 */
export function refuseState(): RpcError {
  return invalidParams("Cannot go on with the request as its requestState is none of this request");
}

async function toBoundText({ agent, caller, method, name, args }: StateBinding): Promise<string> {
  return JSON.stringify(["mcp_request_state", agent, caller, method, name, await sha256Hex(toSortedText(args))]);
}
