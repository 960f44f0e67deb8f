/**
 * Hashes of arguments: they prove what was sent to whoever has it, and tell it to nobody.
 *
 * @module
 */

import { sha256Hex, toHex } from "../cache/sha256.ts";
import { toCanonicalJson } from "../frozen_json.ts";
import type { JsonObject } from "../protocol.ts";

/** What is hashed before the arguments, so that the secret makes the same hash nowhere else. */
const PREFIX = "portolan audit v1 ";

/**
 * Hashes arguments. With a secret it is an HMAC: short arguments could be found by trying, else. It can be had again by
 * `printf 'portolan audit v1 %s' "$JSON" | openssl dgst -sha256 -hmac "$PORTOLAN_STORE_SECRET"`, from JSON without
 * spaces and with the keys of every object in order.
 */
export class ArgumentsHash {
  readonly #secret: Uint8Array<ArrayBuffer> | undefined;
  #key: Promise<CryptoKey> | undefined;

  /**
   * Creates a hash; nothing is computed.
   *
   * @param secret The secret of the store, where there is one.
   */
  constructor(secret: Uint8Array | undefined) {
    this.#secret = secret === undefined ? undefined : new Uint8Array(secret);
  }

  /**
   * Hashes the arguments of a call.
   *
   * @param args The arguments.
   * @returns The algorithm and the hash in hex digits; `undefined` where they are no JSON, or are nested too deep.
   */
  async of(args: JsonObject): Promise<string | undefined> {
    try {
      const text = toCanonicalJson(args);
      if (text === undefined) return undefined;
      if (this.#secret === undefined) return `sha256:${await sha256Hex(PREFIX + text)}`;
      const bytes = new TextEncoder().encode(PREFIX + text);
      return `hmac-sha256:${toHex(await crypto.subtle.sign("HMAC", await this.#openKey(this.#secret), bytes))}`;
    } catch {
      // An entry without a hash is better than none.
      return undefined;
    }
  }

  #openKey(secret: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
    return this.#key ??= crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  }
}
