/** An issuer of tokens: its keys behind real HTTP on loopback, and tokens signed by them. */

import { exportJWK, exportPKCS8, generateKeyPair, importPKCS8, SignJWT } from "jose";
import type { JsonObject } from "../../src/protocol.ts";

/** Where the gateways of these tests are. */
export const PUBLIC_URL = "https://mcp.example.com";

/** How a token differs from a good one. */
export interface TokenOptions {
  /** Claims in place of the good ones; `undefined` leaves one out. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Members of the header in place of the good ones. */
  readonly header?: Readonly<Record<string, string>>;
}

/** One issuer with one key pair at a time. */
export interface TestIssuer extends AsyncDisposable {
  /** Its identifier, which is where it is too. */
  readonly issuer: string;
  /** The paths that were asked for, in order. */
  readonly paths: string[];
  /** What is answered instead of the good answer, by path. */
  readonly answers: Map<string, () => Response | Promise<Response>>;
  /** Its public keys. */
  readonly jwks: () => { keys: JsonObject[] };
  /** Signs a token that is good for all of the gateway, unless it is told otherwise. */
  sign(options?: TokenOptions): Promise<string>;
  /** Takes another key pair, under another id. */
  rotate(): Promise<void>;
}

/** Starts an issuer on a free port of loopback. */
export async function startIssuer(now: () => number = Date.now): Promise<TestIssuer> {
  const paths: string[] = [];
  const answers = new Map<string, () => Response | Promise<Response>>();
  let generation = 0;
  let jwk: JsonObject = {};
  let pem = "";
  const rotate = async () => {
    const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
    pem = await exportPKCS8(privateKey);
    jwk = { ...await exportJWK(publicKey) as JsonObject, alg: "ES256", use: "sig", kid: `key-${++generation}` };
  };
  await rotate();
  const serve = (request: Request): Response | Promise<Response> => {
    const path = new URL(request.url).pathname;
    paths.push(path);
    const answer = answers.get(path);
    if (answer !== undefined) return answer();
    if (path === "/.well-known/openid-configuration") return Response.json({ issuer, jwks_uri: `${issuer}/jwks` });
    return path === "/jwks" ? Response.json({ keys: [jwk] }) : new Response(null, { status: 404 });
  };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, serve);
  const issuer = `http://127.0.0.1:${server.addr.port}`;
  return {
    issuer,
    paths,
    answers,
    jwks: () => ({ keys: [jwk] }),
    rotate,
    async sign({ claims = {}, header = {} } = {}) {
      const nowS = Math.floor(now() / 1_000);
      const good = {
        iss: issuer,
        aud: PUBLIC_URL,
        sub: "person",
        iat: nowS,
        exp: nowS + 300,
        portolan_agents: "Kairos",
      };
      const payload = Object.fromEntries(
        Object.entries({ ...good, ...claims }).filter(([, value]) => value !== undefined),
      );
      return await new SignJWT(payload)
        .setProtectedHeader({ alg: "ES256", kid: String(jwk.kid), typ: "at+jwt", ...header })
        .sign(await importPKCS8(pem, "ES256"));
    },
    async [Symbol.asyncDispose]() {
      await server.shutdown();
    },
  };
}

/** A token with a header and claims of one's own, and any signature. */
export function forge(header: unknown, claims: unknown, signature = "AA"): string {
  const encode = (part: unknown) =>
    new TextEncoder().encode(JSON.stringify(part)).toBase64({ alphabet: "base64url", omitPadding: true });
  return `${encode(header)}.${encode(claims)}.${signature}`;
}
