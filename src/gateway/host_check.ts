/**
 * Who may ask at all: `Host`, `Origin` and the peer's address, looked at before a key or a body is.
 *
 * @module
 */

import { RequestError } from "./request_error.ts";

/**
 * Where a request came from, as `Deno.serve` says it.
 *
 * @example
 * ```ts
 * import { MCPClientManager } from "@portolan/mcp";
 * import { createGateway, type PeerInfo } from "@portolan/mcp/gateway";
 * import { assertEquals } from "@std/assert";
 *
 * await using directory = new MCPClientManager();
 * const gateway = createGateway({ directory }, { open: "loopback" });
 * const request = new Request("http://localhost/healthz", { headers: { host: "localhost" } });
 * const peer: PeerInfo = { remoteAddr: { transport: "tcp", hostname: "192.0.2.7" } };
 * assertEquals((await gateway.fetch(request, peer)).status, 403);
 * ```
 */
export interface PeerInfo {
  /** The address of the peer; `hostname` is missing for sockets that have none. */
  readonly remoteAddr?: { readonly transport: string; readonly hostname?: string } | undefined;
  /** Settles when the response has been sent, or the connection was lost. */
  readonly completed?: Promise<void> | undefined;
}

/** What is served, and to whom. */
export interface HostRules {
  /** Whether requests are served without keys: then only to loopback peers, under loopback names. */
  readonly open: boolean;
  /** The names that are served, each with or without a port; `undefined` is any, where keys are asked for. */
  readonly allowedHosts: readonly string[] | undefined;
  /** Origins, besides the gateway's own, from which a browser may ask. */
  readonly allowedOrigins: readonly string[];
  /** Whether a request without a Host header, as HTTP/2 has it, is taken to name the host of its URL. */
  readonly hostFromUrl?: boolean | undefined;
}

/**
 * Refuses what a page of another site, a rebound name or a distant peer sends.
 *
 * @param request The request; its body is not read.
 * @param peer Where it came from; nothing known is treated as distant.
 * @param rules What is served.
 * @throws {RequestError} If the host, the peer or the origin is refused: `host_refused`, `origin_refused`.
 */
export function checkHost(request: Request, peer: PeerInfo, rules: HostRules): void {
  // In the absolute form of a request the URL's authority stands above the header: both have to be served.
  const authority = /^https?:\/\/([^/?#]*)/.exec(request.url)?.[1] ?? "";
  const target = parseHost(authority);
  const header = request.headers.get("host");
  const isSame = header === authority || (header === null && rules.hostFromUrl === true);
  const host = isSame ? target : parseHost(header ?? "");
  const served = (one: Host | undefined) => one !== undefined && isServed(one, rules);
  if (host === undefined || !served(host) || (!isSame && !served(target))) {
    throw new RequestError("host_refused", "Cannot serve the request as its Host header names no host served here");
  }
  if (rules.open) checkPeer(request, peer);

  const origin = request.headers.get("origin");
  if (origin === null || rules.allowedOrigins.includes(origin)) return;
  // Only the host is compared: a proxy in front may speak https where the gateway sees http.
  if (!URL.canParse(origin) || new URL(origin).host !== withoutDefaultPort(host, new URL(origin).protocol)) {
    throw new RequestError("origin_refused", "Cannot serve the request as its Origin header names another site");
  }
}

/**
 * Whether a host is this machine's loopback.
 *
 * @param hostname A name or an address, IPv6 with or without brackets.
 * @returns Whether it is `localhost`, in 127.0.0.0/8, or `::1`.
 */
export function isLoopbackHost(hostname: string): boolean {
  if (hostname === "127.0.0.1" || hostname === "localhost") return true;
  const name = hostname.toLowerCase().replace(/^\[(.*)\]$/, "$1").replace(/^::ffff:(?=\d+\.)/, "");
  return name === "localhost" || name === "::1" || /^127(\.\d{1,3}){3}$/.test(name);
}

function checkPeer(request: Request, peer: PeerInfo): void {
  const address = peer.remoteAddr;
  const local = address !== undefined &&
    (address.hostname === undefined ? address.transport.startsWith("unix") : isLoopbackHost(address.hostname));
  // A proxy on this machine makes every distant caller look like a loopback peer, and says so in these headers.
  const forwarded = PROXY_HEADERS.some((name) => request.headers.has(name));
  if (!local || forwarded) {
    throw new RequestError("host_refused", "Cannot serve the request as without keys only this machine is served");
  }
}

const PROXY_HEADERS = [
  ...["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"],
  ...["cf-connecting-ip", "true-client-ip"],
] as const;

interface Host {
  readonly hostname: string;
  readonly port: string;
}

function parseHost(text: string): Host | undefined {
  // A name, an IPv4 address, or an IPv6 address in brackets; then a port. Anything else is no host of ours.
  const match = /^([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/i.exec(text);
  return match?.[1] === undefined ? undefined : { hostname: match[1].toLowerCase(), port: match[2] ?? "" };
}

function isServed(host: Host, rules: HostRules): boolean {
  if (rules.open && isLoopbackHost(host.hostname)) return true;
  if (rules.allowedHosts === undefined) return !rules.open;
  return rules.allowedHosts.some((allowed) => {
    const { hostname, port } = parseHost(allowed) ?? { hostname: undefined, port: "" };
    return hostname === host.hostname && (port === "" || port === host.port);
  });
}

function withoutDefaultPort(host: Host, protocol: string): string {
  const isDefault = host.port === "" || (protocol === "https:" ? host.port === "443" : host.port === "80");
  return isDefault ? host.hostname : `${host.hostname}:${host.port}`;
}
