/**
 * `portolan key new`: a key for a caller of the gateway.
 *
 * @module
 */

import { createKey, digestKey } from "../../callers/keys.ts";
import { isKeyId, parseKeyEnd } from "../../config/key_config.ts";
import { CliError } from "../cli_error.ts";
import { toCommand } from "../command_run.ts";
import { EXIT } from "../exit_codes.ts";
import { safeLine } from "../safe_text.ts";
import type { GatewayFlags } from "../session.ts";

/** The options of the command. */
export interface KeyNewFlags extends GatewayFlags {
  /** The agent that the key opens; `*` for all. */
  readonly agent: string;
  /** A name to revoke it by. */
  readonly id?: string | undefined;
  /** When it ends. */
  readonly expires?: string | undefined;
}

/** Makes a key: here, to be put into the configuration, or at a running gateway, where it opens at once. */
export const keyNew = toCommand(async (session, { agent, id, expires }: KeyNewFlags) => {
  if (id !== undefined && !isKeyId(id)) {
    throw new CliError("invalid_usage", 'Cannot use that --id: write letters, digits, ".", "_" or "-", at most 64');
  }
  const endsAtMs = expires === undefined ? undefined : parseKeyEnd(expires);
  if (expires !== undefined && endsAtMs === undefined) {
    throw new CliError("invalid_usage", "Cannot use that --expires: write a date such as 2027-01-31");
  }
  if (endsAtMs !== undefined && endsAtMs <= session.io.now()) {
    throw new CliError("invalid_usage", "Cannot make a key that has ended: write a later --expires");
  }
  const details = { ...(id !== undefined && { id }), ...(expires !== undefined && { expiresAt: expires }) };
  const gateway = await session.findGateway();
  const { output } = session;
  if (gateway !== undefined) {
    const path = `/admin/agents/${encodeURIComponent(agent)}/keys`;
    const created = await gateway.json(path, { ...session.request, method: "POST", body: details });
    if (output.isJson) {
      output.json(created);
    } else {
      output.line(safeLine(String(created.key)));
      output.note(`The gateway knows the key as "${safeLine(String(created.id))}". It is shown this once.`);
    }
    return EXIT.ok;
  }
  if (agent === "*" && Object.keys(details).length > 0) {
    const way = "make it at the gateway with --url, or for one agent with --agent";
    throw new CliError(
      "invalid_usage",
      `Cannot make that key as PORTOLAN_KEYS holds neither a name nor an end: ${way}`,
    );
  }
  const key = createKey();
  const digest = await digestKey(key);
  if (output.isJson) {
    output.json({ agent, key, digest, ...details });
    return EXIT.ok;
  }
  output.line(key);
  const entry = Object.keys(details).length === 0 ? `"${digest}"` : JSON.stringify({ digest, ...details });
  const where = agent === "*"
    ? `set PORTOLAN_KEYS, as in PORTOLAN_KEYS=*=${digest}`
    : `write its digest into the configuration:\n\nagents:\n  ${agent}:\n    keys: [${entry}]\n`;
  output.note(`Give the key to the caller: it is shown this once. For the gateway, ${where}`);
  return EXIT.ok;
});
