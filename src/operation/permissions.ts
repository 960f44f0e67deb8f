/**
 * What the gateway has to be allowed, for one configuration, and nothing more.
 *
 * @module
 */

import { type AddressKind, specialKindOf } from "../config/special_address.ts";
import { variablesOf } from "../config/variables.ts";
import { isLoopbackHost } from "../gateway/host_check.ts";
import type { Settings } from "../gateway/settings.ts";
import { type PortolanConfig, resolveAgent, type ResolvedServer } from "../server_config.ts";
import { quoteWord } from "./shell_text.ts";

/** What a gateway has to be allowed. */
export interface Permissions {
  /** Hosts with their ports: where it listens, its servers, authorization servers, the issuers of tokens, a remote KV. */
  readonly net: readonly string[];
  /** Paths that are read. */
  readonly read: readonly string[];
  /** Paths that are written. */
  readonly write: readonly string[];
  /** Environment variables; one that ends in `*` is all that begin so. */
  readonly env: readonly string[];
  /** Address ranges that are never to be dialled, whatever a name resolves to. */
  readonly denyNet: readonly string[];
  /** What cannot be told from here, in sentences without a final period. */
  readonly notes: readonly string[];
}

/** What permissions follow from. */
export interface PermissionsInput {
  /** The configuration. */
  readonly config: PortolanConfig;
  /** Its text, for the variables that it refers to. */
  readonly text: string;
  /** The settings. */
  readonly settings: Settings;
}

/** Private, link-local and shared ranges of IPv4: `--deny-net` knows no ranges of IPv6. */
const SPECIAL_RANGES = ["10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"];
/** A range that the gateway itself listens in cannot be denied. */
const LISTENS_PRIVATELY: ReadonlySet<AddressKind | undefined> = new Set(
  ["private", "link-local", "carrier-grade NAT"] as const,
);
const SETTINGS = ["PORT", "PORTOLAN_*", "OTEL_DENO"];

/**
 * What a gateway that binds by itself has to be allowed.
 *
 * @param input The configuration and the settings.
 * @returns The permissions, in order, each once.
 * @throws {ConfigError} If the configuration has faults (`invalid_config`).
 */
export function toPermissions({ config, text, settings }: PermissionsInput): Permissions {
  const servers = Object.entries(config.agents).flatMap(([agent, own]) => resolveAgent(agent, own).servers);
  const net = [`${settings.host.includes(":") ? `[${settings.host}]` : settings.host}:${settings.port}`];
  const read: string[] = "path" in settings.config ? [toReadable(settings.config.path, settings.reload !== "off")] : [];
  const write: string[] = [];
  const env = [...SETTINGS, ...variablesOf(text).filter((name) => !name.startsWith("PORTOLAN_") && name !== "PORT")];
  const notes: string[] = [];
  for (const { url, auth } of servers) {
    net.push(toHostPort(url));
    for (const issuer of auth?.issuers ?? []) net.push(toHostPort(new URL(issuer)));
  }
  for (const { issuer, jwksUrl, jwks } of config.jwt ?? []) {
    if (jwks === undefined) net.push(toHostPort(new URL(jwksUrl ?? issuer)));
    if (jwks === undefined && jwksUrl === undefined) {
      notes.push(
        `Add the host of the public keys of ${new URL(issuer).host} to --allow-net where its metadata name another`,
      );
    }
  }
  const unnamed = new Set(servers.filter(({ auth }) => auth?.issuers.length === 0).map(({ name }) => `"${name}"`));
  if (unnamed.size > 0) {
    notes.push(
      `Add the authorization servers of ${[...unnamed].join(", ")} to --allow-net, or list them under "issuers"`,
    );
  }
  addDatabase(settings.kv, { net, read, write, env, notes });
  return {
    net: unique(net),
    read: unique(read),
    write: unique(write),
    env: unique(env),
    denyNet: servers.some(mayBePrivate) || LISTENS_PRIVATELY.has(specialKindOf(settings.host)) ? [] : SPECIAL_RANGES,
    notes,
  };
}

/**
 * What starts a gateway with these permissions and no others.
 *
 * @param permissions What it has to be allowed.
 * @param program What is run, with its arguments.
 * @returns The arguments of `deno`, as they are without a shell.
 */
export function toDenoArgs(
  { net, read, write, env, denyNet }: Permissions,
  program: readonly string[] = ["main.ts", "--listen"],
): readonly string[] {
  const flag = (name: string, values: readonly string[]) =>
    values.length === 0 ? [] : [`--${name}=${values.join(",")}`];
  return [
    "run",
    "--no-prompt",
    ...flag("allow-env", env),
    ...flag("allow-net", net),
    ...flag("deny-net", denyNet),
    ...flag("allow-read", read),
    ...flag("allow-write", write),
    ...program,
  ];
}

/**
 * The same for a shell.
 *
 * @param args The arguments of `deno`.
 * @returns The command, with quotes where a shell would take a character for more than itself.
 */
export function toCommand(args: readonly string[]): string {
  return ["deno", ...args].map(quoteWord).join(" ");
}

function addDatabase(
  kv: string | undefined,
  to: Record<"net" | "read" | "write" | "env" | "notes", string[]>,
): void {
  if (kv === undefined || kv === ":memory:" || kv === "off" || kv === "") return;
  if (!/^https?:\/\//.test(kv)) {
    to.read.push(kv);
    to.write.push(kv);
    return;
  }
  to.net.push(toHostPort(new URL(kv)));
  to.env.push("DENO_KV_ACCESS_TOKEN");
  to.notes.push("Add the hosts that the remote database leads to, to --allow-net");
}

/** A file that is watched is watched by its folder, as editors put another file in its place. */
function toReadable(path: string, isWatched: boolean): string {
  return isWatched ? /^(.+)[\\/][^\\/]*$/.exec(path)?.[1] ?? (path.startsWith("/") ? "/" : ".") : path;
}

function mayBePrivate({ url, allowPrivate }: ResolvedServer): boolean {
  return allowPrivate && !isLoopbackHost(url.hostname);
}

function toHostPort({ hostname, port, protocol }: URL): string {
  return `${hostname}:${port === "" ? (protocol === "https:" ? 443 : 80) : port}`;
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}
