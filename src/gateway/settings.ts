/**
 * The gateway's settings: the environment, read once, all faults at once.
 *
 * @module
 */

import { MIN_SECRET_BYTES } from "../cache/sealer.ts";
import { DEFAULT_AUDIT_DAYS, MAX_AUDIT_DAYS } from "../audit/audit_entry.ts";
import { FaultList } from "../config/config_checks.ts";
import { isKeyDigest } from "../config/key_config.ts";
import { parsePublicUrl } from "../config/public_url.ts";
import type { Environment } from "../config/server_fields.ts";
import { quoteAll } from "../nearest.ts";
import { LOG_THRESHOLDS, type LogFormat, type LogThreshold } from "../telemetry/log.ts";

/** What the environment says, checked and with defaults. */
export interface Settings {
  /** Where the configuration is: a file's path, or the text itself. */
  readonly config: { readonly path: string } | { readonly text: string };
  /** Whether a configuration that is kept in KV goes before that one. */
  readonly configFrom: "kv" | undefined;
  /** Whether the file is watched and taken anew; `undefined` leaves it to how the gateway is started. */
  readonly reload: "watch" | "off" | undefined;
  /** The KV database: a path, a URL or `:memory:`; `undefined` is the default database; `"off"` is none. */
  readonly kv: string | undefined;
  /** The secret with which session ids are encrypted in the database; without one they are not kept. */
  readonly storeSecret: Uint8Array | undefined;
  /** The address to listen on, where the gateway binds by itself. */
  readonly host: string;
  /** The port to listen on, where the gateway binds by itself; `0` is any free one. */
  readonly port: number;
  /** Digests of bearer keys by agent. */
  readonly keys: Readonly<Record<string, readonly string[]>>;
  /** The names that are served; `undefined` is any. */
  readonly allowedHosts: readonly string[] | undefined;
  /** Origins from which a browser may ask, besides the gateway's own. */
  readonly allowedOrigins: readonly string[];
  /** Whether loopback peers are served without keys. */
  readonly allowOpen: boolean;
  /** The most bytes that the body of a request may have. */
  readonly maxBodyBytes: number;
  /** How many requests may be under way; more are refused. */
  readonly maxRequests: number;
  /** Whether servers are connected at the start or when needed; `undefined` leaves it to how the gateway is started. */
  readonly connect: "eager" | "lazy" | undefined;
  /** Whether legacy MCP callers that can be asked get a session. */
  readonly mcpSessions: "auto" | "off";
  /** Where callers reach the gateway; `undefined` leaves it to the configuration. */
  readonly publicUrl: string | undefined;
  /** From which level on lines are written. */
  readonly logLevel: LogThreshold;
  /** How lines are written; `undefined` is text on a terminal, JSON elsewhere. */
  readonly logFormat: LogFormat | undefined;
  /** How long entries of the audit trail are kept, in days; `undefined` is no audit trail. */
  readonly auditDays: number | undefined;
}

/** The variables of the settings, but for `PORT`. */
export const SETTING_NAMES = [
  "PORTOLAN_CONFIG",
  "PORTOLAN_CONFIG_TEXT",
  "PORTOLAN_CONFIG_FROM",
  "PORTOLAN_RELOAD",
  "PORTOLAN_KV",
  "PORTOLAN_STORE_SECRET",
  "PORTOLAN_HOST",
  "PORTOLAN_KEYS",
  "PORTOLAN_ALLOWED_HOSTS",
  "PORTOLAN_ALLOWED_ORIGINS",
  "PORTOLAN_ALLOW_OPEN",
  "PORTOLAN_MAX_BODY_BYTES",
  "PORTOLAN_MAX_REQUESTS",
  "PORTOLAN_CONNECT",
  "PORTOLAN_MCP_SESSIONS",
  "PORTOLAN_PUBLIC_URL",
  "PORTOLAN_LOG_LEVEL",
  "PORTOLAN_LOG_FORMAT",
  "PORTOLAN_AUDIT_DAYS",
] as const;

/** Those that the command line asks a gateway with; whoever uses both sets them for both. */
const OF_CLI = ["PORTOLAN_KEY", "PORTOLAN_URL"];

type Variable = (typeof SETTING_NAMES)[number] | "PORT";

const MAX_BODY_BYTES = 64 * 1024 * 1024;
const MAX_REQUESTS = 1_000_000;

/**
 * Reads the settings. An empty variable is one that is not set.
 *
 * @param env The environment; only `PORT` and what begins with `PORTOLAN_` is looked at.
 * @returns The settings.
 * @throws {ConfigError} If there are faults (`invalid_config`): all of them, with the variables' names as paths.
 */
export function parseSettings(env: Environment): Settings {
  const faults = new FaultList();
  const read = createRead(env);
  for (const name of Object.keys(env)) {
    if (!name.startsWith("PORTOLAN_") || (SETTING_NAMES as readonly string[]).includes(name)) continue;
    // A digest is no key of a caller: whoever writes one means the other variable.
    if (OF_CLI.includes(name) && !/sha256:/i.test(env[name] ?? "")) continue;
    faults.addUnknown(name, "variable", name, SETTING_NAMES);
  }
  const settings: Settings = {
    config: readConfigSource(read, faults),
    configFrom: readChoice("PORTOLAN_CONFIG_FROM", read, ["kv"], faults),
    reload: readChoice("PORTOLAN_RELOAD", read, ["watch", "off"], faults),
    kv: read("PORTOLAN_KV"),
    storeSecret: readSecret(read("PORTOLAN_STORE_SECRET"), faults),
    host: read("PORTOLAN_HOST")?.replace(/^\[(.*)\]$/, "$1") ?? "127.0.0.1",
    port: readNumber("PORT", read, 8_000, 0, 65_535, faults),
    keys: readKeys(read("PORTOLAN_KEYS"), faults),
    allowedHosts: readList("PORTOLAN_ALLOWED_HOSTS", read, isHost, "names such as mcp.example.com", faults),
    allowedOrigins:
      readList("PORTOLAN_ALLOWED_ORIGINS", read, isOrigin, "origins such as https://app.example.com", faults) ??
        [],
    allowOpen: readChoice("PORTOLAN_ALLOW_OPEN", read, ["loopback"], faults) === "loopback",
    maxBodyBytes: readNumber("PORTOLAN_MAX_BODY_BYTES", read, 1_048_576, 1, MAX_BODY_BYTES, faults),
    maxRequests: readNumber("PORTOLAN_MAX_REQUESTS", read, 1_000, 1, MAX_REQUESTS, faults),
    connect: readChoice("PORTOLAN_CONNECT", read, ["eager", "lazy"], faults),
    mcpSessions: readChoice("PORTOLAN_MCP_SESSIONS", read, ["auto", "off"], faults) ?? "auto",
    publicUrl: readPublicUrl(read("PORTOLAN_PUBLIC_URL"), faults),
    ...readLog(read, faults),
    auditDays: read("PORTOLAN_AUDIT_DAYS") === "off"
      ? undefined
      : readNumber("PORTOLAN_AUDIT_DAYS", read, DEFAULT_AUDIT_DAYS, 1, MAX_AUDIT_DAYS, faults),
  };
  if (settings.configFrom === "kv") checkKeptConfig(settings, faults);
  faults.throwIfAny();
  return settings;
}

/**
 * Reads how lines are written, also where the settings have faults: somebody has to be told.
 *
 * @param env The environment.
 * @returns What it says of them; the defaults where it says nothing of use.
 */
export function parseLogSettings(env: Environment): Pick<Settings, "logLevel" | "logFormat"> {
  return readLog(createRead(env), new FaultList());
}

type Read = (name: Variable) => string | undefined;

function createRead(env: Environment): Read {
  return (name) => Object.hasOwn(env, name) && env[name] !== "" ? env[name] : undefined;
}

function readLog(read: Read, faults: FaultList): Pick<Settings, "logLevel" | "logFormat"> {
  return {
    logLevel: readChoice("PORTOLAN_LOG_LEVEL", read, LOG_THRESHOLDS, faults) ?? "info",
    logFormat: readChoice("PORTOLAN_LOG_FORMAT", read, ["json", "text"], faults),
  };
}

function readConfigSource(read: Read, faults: FaultList): Settings["config"] {
  const path = read("PORTOLAN_CONFIG");
  const text = read("PORTOLAN_CONFIG_TEXT");
  if (path !== undefined && text !== undefined) {
    faults.add("PORTOLAN_CONFIG_TEXT", "Cannot be set next to PORTOLAN_CONFIG: remove one of them");
  }
  return text === undefined ? { path: path ?? "portolan.yaml" } : { text };
}

function checkKeptConfig({ kv, storeSecret }: Settings, faults: FaultList): void {
  if (kv === "off") faults.add("PORTOLAN_CONFIG_FROM", 'Cannot be "kv" as there is none: remove PORTOLAN_KV=off');
  // Its addresses alone may tell more than the database is to know.
  if (storeSecret === undefined) {
    faults.add(
      "PORTOLAN_STORE_SECRET",
      "Missing: the configuration in KV is encrypted with it: write 16 bytes or more",
    );
  }
}

function readKeys(value: string | undefined, faults: FaultList): Record<string, string[]> {
  const keys = new Map<string, string[]>();
  for (const part of (value ?? "").split(";").map((part) => part.trim()).filter((part) => part !== "")) {
    const [agent = "", list = "", ...rest] = part.split("=").map((side) => side.trim());
    const digests = list.split(",").map((digest) => digest.trim()).filter((digest) => digest !== "");
    // A digest that is none may be the key itself: it is never quoted.
    if (agent === "" || rest.length > 0 || digests.length === 0 || !digests.every(isKeyDigest)) {
      faults.add(
        "PORTOLAN_KEYS",
        'Cannot be read: write agent=sha256:<64 hex digits>, with "," between digests, ";" between agents and * for all',
      );
      break;
    }
    keys.set(agent, [...keys.get(agent) ?? [], ...digests]);
  }
  return Object.fromEntries(keys);
}

function readNumber(
  name: Variable,
  read: Read,
  otherwise: number,
  min: number,
  max: number,
  faults: FaultList,
): number {
  const value = read(name);
  if (value === undefined) return otherwise;
  const number = /^\d{1,12}$/.test(value) ? Number(value) : NaN;
  if (number >= min && number <= max) return number;
  faults.add(name, `Cannot be used as a number: write one from ${min} to ${max}`);
  return otherwise;
}

function readChoice<T extends string>(
  name: Variable,
  read: Read,
  choices: readonly T[],
  faults: FaultList,
): T | undefined {
  const value = read(name);
  const choice = choices.find((choice) => choice === value);
  if (value !== undefined && choice === undefined) {
    faults.add(name, `Cannot be used: write ${quoteAll(choices, " or ")}`);
  }
  return choice;
}

function readList(
  name: Variable,
  read: Read,
  isItem: (item: string) => boolean,
  wanted: string,
  faults: FaultList,
): readonly string[] | undefined {
  const items = read(name)?.split(",").map((item) => item.trim().toLowerCase()).filter((item) => item !== "");
  if (items === undefined || items.length === 0) return undefined;
  if (!items.every(isItem)) faults.add(name, `Cannot be read: write ${wanted}, with "," between them`);
  return items;
}

function isHost(item: string): boolean {
  return /^([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/.test(item);
}

function isOrigin(item: string): boolean {
  return URL.canParse(item) && /^https?:$/.test(new URL(item).protocol) && new URL(item).origin === item;
}

function readSecret(text: string | undefined, faults: FaultList): Uint8Array | undefined {
  if (text === undefined) return undefined;
  const secret = new TextEncoder().encode(text);
  if (secret.byteLength >= MIN_SECRET_BYTES) return secret;
  faults.add("PORTOLAN_STORE_SECRET", `Cannot be a secret as it is too short: write ${MIN_SECRET_BYTES} bytes or more`);
  return undefined;
}

function readPublicUrl(text: string | undefined, faults: FaultList): string | undefined {
  const url = text === undefined ? undefined : parsePublicUrl(text);
  if (typeof url !== "object") return url;
  faults.add("PORTOLAN_PUBLIC_URL", url.fault);
  return undefined;
}
