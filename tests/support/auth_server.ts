/**
 * A real authorization server for tests: `oidc-provider` on `node:http`, on loopback, with a person who agrees to
 * everything.
 *
 * @module
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import Provider from "oidc-provider";

/** A client that is known beforehand, in the words of OpenID Connect. */
export type KnownClient = Readonly<Record<string, unknown>>;

/** What an authorization server is to be like. */
export interface AuthServerOptions {
  /** Clients that are known beforehand. */
  readonly clients?: readonly KnownClient[];
  /** How long access tokens are good, in seconds. @default {3_600} */
  readonly accessTtlS?: number;
  /** The scopes of every resource. @default {"read write admin"} */
  readonly scope?: string;
  /** What access tokens are: a text that only the server understands, or a JWT. @default {"opaque"} */
  readonly tokenFormat?: "opaque" | "jwt";
}

/** A token request that was answered. */
export interface TokenRequestRecord {
  /** The kind of grant. */
  readonly grantType: string;
  /** Whether tokens were given. */
  readonly isGranted: boolean;
  /** The client. */
  readonly clientId: string;
  /** How it proved who it is. */
  readonly method: string;
  /** The scope that it asked for. */
  readonly scope: string | undefined;
  /** The resource that it asked for. */
  readonly resource: string | undefined;
}

/** A token that is good. */
export interface LiveToken {
  /** The resource that it is for. */
  readonly audience: string | undefined;
  /** What it allows. */
  readonly scopes: readonly string[];
}

/** A running authorization server. */
export interface TestAuthServer extends AsyncDisposable {
  /** Its issuer. */
  readonly issuer: string;
  /** Its token requests, in the order of their answers. */
  readonly tokenRequests: readonly TokenRequestRecord[];
  /** The paths that were asked for, in order. */
  readonly paths: readonly string[];
  /** Every secret it gave away: codes, tokens, client secrets. */
  readonly secrets: readonly string[];
  /** What a token is good for; `undefined` where it is not good. */
  find(token: string): Promise<LiveToken | undefined>;
  /** Takes back all access tokens, or all refresh tokens. */
  revoke(kind: "AccessToken" | "RefreshToken" | "ClientCredentials"): void;
  /** The token requests of one kind. */
  count(grantType: string): number;
}

/** Starts an authorization server on a free port of loopback. */
export async function startAuthServer(options: AuthServerOptions = {}): Promise<TestAuthServer> {
  const { clients = [], accessTtlS = 3_600, scope = "read write admin", tokenFormat = "opaque" } = options;
  const http = createServer();
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const address = http.address();
  if (address === null || typeof address === "string") throw new TypeError("The server has no port");
  const issuer = `http://127.0.0.1:${address.port}`;
  const records = new Map<string, Map<string, unknown>>();
  const tokenRequests: TokenRequestRecord[] = [];
  const paths: string[] = [];
  const secrets: string[] = [];

  const provider = new Provider(issuer, {
    adapter: createAdapter(records),
    clients,
    jwks: { keys: [await createKey()] },
    cookies: { keys: ["a key for the cookies of a test"] },
    clientDefaults: { id_token_signed_response_alg: "ES256" },
    scopes: ["openid", "offline_access"],
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: true },
      clientCredentials: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx: unknown, audience: string) => ({
          scope,
          audience,
          accessTokenTTL: accessTtlS,
          accessTokenFormat: tokenFormat,
          jwt: { sign: { alg: "ES256" } },
        }),
      },
    },
    findAccount: (_ctx: unknown, accountId: string) => ({ accountId, claims: () => ({ sub: accountId }) }),
    interactions: { url: (_ctx: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    issueRefreshToken: (_ctx: unknown, client: { grantTypeAllowed(type: string): boolean }) =>
      client.grantTypeAllowed("refresh_token"),
    rotateRefreshToken: true,
    pkce: { required: () => true },
    ttl: {
      AccessToken: accessTtlS,
      ClientCredentials: accessTtlS,
      AuthorizationCode: 60,
      RefreshToken: 86_400,
      Interaction: 600,
      Session: 600,
      Grant: 86_400,
    },
  });
  const record = (isGranted: boolean) => (ctx: OidcContext) => {
    const { params, client } = ctx.oidc;
    tokenRequests.push({
      grantType: String(params?.grant_type),
      isGranted,
      clientId: String(client?.clientId),
      method: String(client?.clientAuthMethod),
      scope: params?.scope,
      resource: params?.resource,
    });
    const { access_token: access, refresh_token: refresh } = ctx.body ?? {};
    for (const secret of [access, refresh, params?.code]) if (typeof secret === "string") secrets.push(secret);
  };
  provider.on("grant.success", record(true));
  provider.on("grant.error", record(false));
  provider.on("registration_create.success", (_ctx: unknown, { clientSecret }: { clientSecret?: string }) => {
    if (clientSecret !== undefined) secrets.push(clientSecret);
  });
  const serve = provider.callback();
  http.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    paths.push(path);
    if (path.startsWith("/interaction/")) void agree(provider, request, response);
    else void serve(request, response);
  });

  return {
    issuer,
    tokenRequests,
    paths,
    secrets,
    async find(token) {
      const found = await provider.AccessToken.find(token) ?? await provider.ClientCredentials.find(token);
      if (found === undefined || found.isExpired) return undefined;
      return { audience: found.aud, scopes: String(found.scope ?? "").split(" ") };
    },
    revoke(kind) {
      records.get(kind)?.clear();
    },
    count: (grantType) => tokenRequests.filter((one) => one.grantType === grantType).length,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections();
      await new Promise<void>((resolve) => http.close(() => resolve()));
    },
  };
}

interface OidcContext {
  readonly body?: Readonly<Record<string, unknown>>;
  readonly oidc: {
    readonly params?: Readonly<Record<string, string | undefined>>;
    readonly client?: { readonly clientId: string; readonly clientAuthMethod: string };
  };
}

/** A person who logs in and agrees at once. */
async function agree(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (prompt.name === "login") {
    return await provider.interactionFinished(request, response, { login: { accountId: "person" } });
  }
  const grant = new provider.Grant({ accountId: session?.accountId, clientId: params.client_id });
  const scope = String(params.scope ?? "");
  grant.addOIDCScope(scope);
  if (typeof params.resource === "string") grant.addResourceScope(params.resource, scope);
  await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
}

async function createKey(): Promise<JsonWebKey> {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  // What it is good for would be published with the public key, which is good for something else.
  const { key_ops: _, ext: __, ...key } = await crypto.subtle.exportKey("jwk", pair.privateKey);
  return {
    ...key,
    alg: "ES256",
    kid: "test",
    use: "sig",
  } as JsonWebKey;
}

/** Keeps what the provider stores in maps, by model and id. */
function createAdapter(records: Map<string, Map<string, unknown>>) {
  return class {
    readonly #entries: Map<string, Record<string, unknown>>;

    constructor(model: string) {
      const known = records.get(model) ?? new Map<string, unknown>();
      records.set(model, known);
      this.#entries = known as Map<string, Record<string, unknown>>;
    }

    upsert(id: string, payload: Record<string, unknown>): Promise<void> {
      this.#entries.set(id, payload);
      return Promise.resolve();
    }

    find(id: string): Promise<Record<string, unknown> | undefined> {
      return Promise.resolve(this.#entries.get(id));
    }

    findByUid(uid: string): Promise<Record<string, unknown> | undefined> {
      return Promise.resolve([...this.#entries.values()].find((payload) => payload.uid === uid));
    }

    findByUserCode(): Promise<undefined> {
      return Promise.resolve(undefined);
    }

    consume(id: string): Promise<void> {
      const payload = this.#entries.get(id);
      if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1_000);
      return Promise.resolve();
    }

    destroy(id: string): Promise<void> {
      this.#entries.delete(id);
      return Promise.resolve();
    }

    revokeByGrantId(grantId: string): Promise<void> {
      for (const [id, payload] of this.#entries) if (payload.grantId === grantId) this.#entries.delete(id);
      return Promise.resolve();
    }
  };
}
