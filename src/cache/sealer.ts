/**
 * Encrypts what opens a door before it is stored: AES-GCM, bound to the key it is stored under.
 *
 * @module
 */

/** The fewest bytes that a store secret may have. */
export const MIN_SECRET_BYTES = 16;

const IV_BYTES = 12;
const INFO = new TextEncoder().encode("portolan sealed entry v1");

/** Seals and opens texts with one secret. */
export class Sealer {
  readonly #secret: Uint8Array<ArrayBuffer>;
  #key: Promise<CryptoKey> | undefined;

  /**
   * Creates a sealer.
   *
   * @param secret At least 16 bytes, the same in all isolates.
   * @throws {RangeError} If the secret is shorter.
   */
  constructor(secret: Uint8Array) {
    if (secret.byteLength < MIN_SECRET_BYTES) {
      throw new RangeError(`Cannot use a store secret of less than ${MIN_SECRET_BYTES} bytes: ${secret.byteLength}`);
    }
    this.#secret = new Uint8Array(secret);
  }

  /**
   * Encrypts a text.
   *
   * @param text The text.
   * @param boundTo What it belongs to: it opens under this alone.
   * @returns The sealed text, as Base64.
   */
  async seal(text: string, boundTo: string): Promise<string> {
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
    const sealed = await crypto.subtle.encrypt(
      toAlgorithm(iv, boundTo),
      await this.#openKey(),
      new TextEncoder().encode(text),
    );
    const bytes = new Uint8Array(IV_BYTES + sealed.byteLength);
    bytes.set(iv);
    bytes.set(new Uint8Array(sealed), IV_BYTES);
    return bytes.toBase64();
  }

  /**
   * Decrypts a text.
   *
   * @param sealed What `seal()` returned.
   * @param boundTo What it belongs to.
   * @returns The text, or `undefined` where it was sealed with another secret, for something else, or was changed.
   */
  async open(sealed: string, boundTo: string): Promise<string | undefined> {
    try {
      const bytes = Uint8Array.fromBase64(sealed);
      const algorithm = toAlgorithm(bytes.subarray(0, IV_BYTES), boundTo);
      const text = await crypto.subtle.decrypt(algorithm, await this.#openKey(), bytes.subarray(IV_BYTES));
      return new TextDecoder().decode(text);
    } catch {
      return undefined;
    }
  }

  /** Derived once, and only where something is sealed: most starts need no key. */
  #openKey(): Promise<CryptoKey> {
    return this.#key ??= deriveKey(this.#secret);
  }
}

async function deriveKey(secret: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveKey"]);
  const algorithm = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: INFO };
  return await crypto.subtle.deriveKey(algorithm, material, { name: "AES-GCM", length: 256 }, false, [
    "encrypt",
    "decrypt",
  ]);
}

function toAlgorithm(iv: Uint8Array<ArrayBuffer>, boundTo: string): AesGcmParams {
  return { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(boundTo) };
}
