/**
 * SHA-256 as text.
 *
 * @module
 */

/**
 * The SHA-256 of a text in UTF-8, or of bytes.
 *
 * @param data The text or the bytes.
 * @returns 64 lower-case hexadecimal digits.
 */
export async function sha256Hex(data: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  return toHex(await crypto.subtle.digest("SHA-256", bytes));
}

/**
 * Bytes as hexadecimal digits.
 *
 * @param bytes The bytes.
 * @returns Two lower-case digits for each byte.
 */
export function toHex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
