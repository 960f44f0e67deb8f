/**
 * Values of the headers that repeat what a body says (specification 2026-07-28, Streamable HTTP, Value Encoding).
 *
 * @module
 */

const PREFIX = "=?base64?";
const SUFFIX = "?=";

/**
 * Decodes a value.
 *
 * @param value The value of a header, as it came.
 * @returns The text; `undefined` where the value holds what no header may, or is not the Base64 that it claims to be.
 */
export function fromHeaderValue(value: string): string | undefined {
  const text = value.replace(/^[ \t]+|[ \t]+$/g, "");
  if (!/^[\x20-\x7e\t]*$/.test(text)) return undefined;
  if (!text.startsWith(PREFIX) || !text.endsWith(SUFFIX) || text.length < PREFIX.length + SUFFIX.length) return text;
  const encoded = text.slice(PREFIX.length, -SUFFIX.length);
  try {
    const bytes = Uint8Array.fromBase64(encoded, { lastChunkHandling: "strict" });
    // White space within is skipped by the decoder, and is no Base64.
    return bytes.toBase64() === encoded ? new TextDecoder("utf-8", { fatal: true }).decode(bytes) : undefined;
  } catch {
    return undefined;
  }
}
