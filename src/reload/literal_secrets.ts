/**
 * Secrets that stand in the text of a configuration themselves. One that is kept for all isolates, and told to every
 * administrator who asks, holds references alone.
 *
 * @module
 */

import { FaultList, keyPath } from "../config/config_checks.ts";
import { parseText } from "../config/config_text.ts";
import { parseTemplate } from "../config/template.ts";

/** Headers whose values open doors. */
const SECRET_HEADER = /authorization|cookie|key|token|secret|password|credential/i;
const SECRET_OF_AUTH = ["clientSecret", "client_secret", "privateKey"];
const ADVICE = 'Cannot stand here itself: write "${env:NAME}", and set the variable for every isolate';

/**
 * Refuses a text that holds secrets.
 *
 * @param text The text of a configuration; whether it is one is not looked at.
 * @throws {ConfigError} If it holds secrets, with the place of each (`invalid_config`).
 */
export function refuseLiteralSecrets(text: string): void {
  const root = entriesOf(parseText(text, undefined, new FaultList()));
  const faults = new FaultList();
  for (const key of ["servers", "mcpServers"]) checkServers(root.get(key), key, faults);
  checkSecrets(root.get("secrets"), "secrets", faults);
  for (const [agent, value] of entriesOf(root.get("agents"))) {
    const [fields, path] = [entriesOf(value), keyPath("agents", agent)];
    checkServers(fields.get("servers"), keyPath(path, "servers"), faults);
    checkSecrets(fields.get("secrets"), keyPath(path, "secrets"), faults);
  }
  faults.throwIfAny();
}

function checkServers(servers: unknown, path: string, faults: FaultList): void {
  for (const [name, server] of entriesOf(servers)) {
    const at = keyPath(path, name);
    const fields = entriesOf(server);
    for (const [header, value] of entriesOf(fields.get("headers"))) {
      if (SECRET_HEADER.test(header)) check(value, keyPath(keyPath(at, "headers"), header), faults);
    }
    for (const [field, value] of entriesOf(fields.get("auth"))) {
      if (SECRET_OF_AUTH.includes(field)) check(value, keyPath(keyPath(at, "auth"), field), faults);
    }
  }
}

function checkSecrets(secrets: unknown, path: string, faults: FaultList): void {
  for (const [server, values] of entriesOf(secrets)) {
    for (const [name, value] of entriesOf(values)) check(value, keyPath(keyPath(path, server), name), faults);
  }
}

/** What is of another type is refused by whoever reads the configuration. */
function check(value: unknown, path: string, faults: FaultList): void {
  if (typeof value === "number") return faults.add(path, ADVICE);
  if (typeof value !== "string" || value === "") return;
  const template = parseTemplate(value);
  if (typeof template === "string") return;
  const references = template.filter((part) => typeof part !== "string");
  const isLiteral = references.length === 0 || references.some(({ fallback = "" }) => fallback !== "");
  if (isLiteral) faults.add(path, ADVICE);
}

function entriesOf(value: unknown): ReadonlyMap<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return new Map();
  return new Map(Object.entries(value));
}
