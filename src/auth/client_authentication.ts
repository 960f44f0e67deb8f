/**
 * How a client proves who it is at a token endpoint.
 *
 * @module
 */

/** The ways that are spoken here, by their registered names. */
export type ClientAuthMethod = "client_secret_basic" | "client_secret_post" | "private_key_jwt" | "none";

/** A client of one authorization server. */
export interface OAuthClient {
  /** Its id. */
  readonly clientId: string;
  /** How it proves who it is. */
  readonly method: ClientAuthMethod;
  /** Its secret, where it has one. */
  readonly clientSecret?: string | undefined;
  /** Its private key, as PKCS #8 in PEM or as a JWK, where it has one. */
  readonly privateKey?: string | undefined;
  /** The algorithm of the key; `undefined`: what the key is made for. */
  readonly algorithm?: string | undefined;
}

/** Where a client proves it, and when. */
export interface AuthenticationContext {
  /** The authorization server's issuer: whom an assertion is for. */
  readonly issuer: string;
  /** The time, in milliseconds since the epoch. */
  readonly nowMs: number;
}

const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const ASSERTION_TTL_S = 60;
/** What a key in PKCS #8 says it is made for, as hexadecimal digits of DER, and the algorithms; the first by default. */
const KINDS: readonly (readonly [string, readonly string[]])[] = [
  ["06082a8648ce3d030107", ["ES256"]],
  ["06052b81040022", ["ES384"]],
  ["06052b81040023", ["ES512"]],
  ["06092a864886f70d010101", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]],
  ["06032b6570", ["EdDSA"]],
];
/** Within how many bytes of the key that stands. */
const KIND_BYTES = 32;

/**
 * Chooses how a client proves who it is.
 *
 * @param supported What the authorization server lists; `undefined`: it lists nothing (RFC 8414: Basic).
 * @param hasSecret Whether the client has a secret.
 * @param wanted What the operator, or the registration, says.
 * @returns The method.
 */
export function chooseMethod(
  supported: readonly string[] | undefined,
  hasSecret: boolean,
  wanted?: ClientAuthMethod | undefined,
): ClientAuthMethod {
  if (!hasSecret) return "none";
  if (wanted !== undefined) return wanted;
  const known = ["client_secret_basic", "client_secret_post", "none"] as const;
  return known.find((method) => supported?.includes(method)) ?? "client_secret_basic";
}

/**
 * Adds the proof to a request of a token.
 *
 * @param client Who asks.
 * @param form The form that is sent; it is changed.
 * @param context Where and when.
 * @returns Headers to send.
 * @throws {Error} If the private key cannot be used; the message may quote it.
 */
export async function authenticateClient(
  client: OAuthClient,
  form: URLSearchParams,
  context: AuthenticationContext,
): Promise<Readonly<Record<string, string>>> {
  const { clientId, clientSecret = "", method } = client;
  if (method === "client_secret_basic") {
    return { authorization: `Basic ${btoa(`${encodeForm(clientId)}:${encodeForm(clientSecret)}`)}` };
  }
  form.set("client_id", clientId);
  if (method === "client_secret_post") form.set("client_secret", clientSecret);
  if (method === "private_key_jwt") {
    form.set("client_assertion_type", ASSERTION_TYPE);
    form.set("client_assertion", await signAssertion(client, context));
  }
  return {};
}

/** Id and secret are form-encoded before they are joined (RFC 6749, section 2.3.1). */
function encodeForm(text: string): string {
  return new URLSearchParams([["", text]]).toString().slice(1);
}

/** A signed statement of who the client is, good for a minute at one issuer (RFC 7523, section 3). */
async function signAssertion(client: OAuthClient, context: AuthenticationContext): Promise<string> {
  const { SignJWT } = await import("jose");
  const { key, alg, kid } = await importKey(client);
  const nowS = Math.floor(context.nowMs / 1000);
  return await new SignJWT({ jti: crypto.randomUUID() })
    .setProtectedHeader({ alg, ...(kid === undefined ? {} : { kid }) })
    .setIssuer(client.clientId)
    .setSubject(client.clientId)
    .setAudience(context.issuer)
    .setIssuedAt(nowS)
    .setExpirationTime(nowS + ASSERTION_TTL_S)
    .sign(key);
}

async function importKey({ privateKey = "", algorithm }: OAuthClient) {
  const { importJWK, importPKCS8 } = await import("jose");
  const text = privateKey.trim();
  if (text.startsWith("{")) {
    const jwk = JSON.parse(text);
    const alg: string = algorithm ?? jwk.alg ?? algorithmOf(jwk);
    return { key: await importJWK(jwk, alg), alg, kid: typeof jwk.kid === "string" ? jwk.kid as string : undefined };
  }
  // Environment variables often hold a PEM in one line, with "\n" written out.
  const pem = text.replaceAll("\\n", "\n");
  // Asked first and not found out by trying: Deno 2.5 does not survive the import of an RSA key as one of a curve.
  const algorithms = algorithmsOf(pem);
  const alg = algorithm ?? algorithms[0];
  if (alg !== undefined && algorithms.includes(alg)) return { key: await importPKCS8(pem, alg), alg, kid: undefined };
  throw new TypeError("Cannot import the private key");
}

function algorithmsOf(pem: string): readonly string[] {
  const bytes = Uint8Array.fromBase64(pem.replaceAll(/-----[A-Z ]+-----/g, ""));
  const head = bytes.subarray(0, KIND_BYTES).toHex();
  return KINDS.find(([kind]) => head.includes(kind))?.[1] ?? [];
}

function algorithmOf({ kty, crv }: { readonly kty?: unknown; readonly crv?: unknown }): string {
  if (kty === "RSA") return "RS256";
  if (kty === "OKP") return "EdDSA";
  return crv === "P-384" ? "ES384" : crv === "P-521" ? "ES512" : "ES256";
}
