/**
 * What the gateway says on the terminal when it starts, and when it cannot.
 *
 * @module
 */

import { isMCPError } from "../errors.ts";
import type { AccessRule } from "./access_rule.ts";

/** Where the gateway listens, as `Deno.serve` says it. */
export interface ListenAddress {
  /** The address. */
  readonly hostname: string;
  /** The port. */
  readonly port: number;
}

/**
 * What to say when the gateway listens.
 *
 * @param address Where it listens.
 * @param agents The names of the agents.
 * @param access Who may use it.
 * @returns Four lines: where, the page, what to try first, and where MCP clients point to.
 */
export function describeListening(address: ListenAddress, agents: readonly string[], access: AccessRule): string {
  const url = `http://${bracket(address.hostname)}:${address.port}`;
  const header = access.open === undefined ? ' -H "authorization: Bearer $KEY"' : "";
  const agent = `${url}/agents/${agents[0] ?? ":agent"}`;
  return `Portolan listens on ${url}\nPage: ${url}/\nTry: curl${header} ${agent}/tools\nMCP clients: ${agent}/mcp`;
}

/**
 * What to say when the gateway cannot start. Never a stack.
 *
 * @param error Why it cannot.
 * @param address Where it was to listen.
 * @returns The reason, and what to do where that is known.
 */
export function describeStartError(error: unknown, address: ListenAddress | undefined): string {
  if (isMCPError(error)) return error.message;
  const [name, message] = error instanceof Error ? [error.name, error.message] : ["Error", String(error)];
  if (address === undefined && name === "NotCapable") return `Cannot start as a permission is missing: ${message}`;
  if (address === undefined) return `Cannot start as something failed: ${name}: ${message}`;
  const where = `${bracket(address.hostname)}:${address.port}`;
  switch (name) {
    case "AddrInUse":
      return `Cannot listen on ${where} as the port is in use: choose another, as in PORT=${nextPort(address.port)}`;
    case "AddrNotAvailable":
      return `Cannot listen on ${where} as this machine has no such address: change PORTOLAN_HOST`;
    case "PermissionDenied":
      return `Cannot listen on ${where} as the system does not allow it: choose a port above 1023, as in PORT=8000`;
    default:
      return `Cannot listen on ${where}: ${name}: ${message}`;
  }
}

function bracket(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}

function nextPort(port: number): number {
  return port < 65_535 ? port + 1 : 8_000;
}
