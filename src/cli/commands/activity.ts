/**
 * `portolan activity`: what has happened at a gateway.
 *
 * @module
 */

import { isJsonObject, type JsonObject } from "../../protocol.ts";
import { CliError } from "../cli_error.ts";
import { toCommand } from "../command_run.ts";
import { EXIT } from "../exit_codes.ts";
import type { GatewayFlags } from "../session.ts";

/** The options of the command. */
export interface ActivityFlags extends GatewayFlags {
  /** How many entries at most. */
  readonly limit: number;
}

const COLUMNS = [
  { header: "TIME" },
  { header: "AGENT" },
  { header: "SERVER" },
  { header: "WHAT" },
  { header: "TOOK", right: true },
  { header: "OUTCOME" },
];

/** Lists the last calls and events, newest first; as JSON Lines for a program. */
export const activity = toCommand(async (session, { limit }: ActivityFlags, agent?: string) => {
  const gateway = await session.requireGateway();
  const query = new URLSearchParams({ limit: String(limit), ...(agent !== undefined && { agent }) });
  const { activity } = await gateway.json(`/activity?${query}`, session.request);
  if (!Array.isArray(activity) || !activity.every(isJsonObject)) {
    throw new CliError(
      "bad_gateway_answer",
      "Cannot read the activity as no gateway of this version answers: check --url",
    );
  }
  const { output } = session;
  if (output.isJson) { for (const entry of activity) output.jsonLine(entry); }
  else if (activity.length > 0) output.table(COLUMNS, activity.map(toRow));
  else output.note("Nothing has happened yet");
  return EXIT.ok;
});

function toRow(entry: JsonObject): readonly string[] {
  const text = (key: string) => entry[key] === undefined || entry[key] === null ? "" : String(entry[key]);
  const took = typeof entry.durationMs === "number" ? `${Math.round(entry.durationMs)} ms` : "";
  const what = entry.kind === "call" ? text("tool") : text("text");
  return [text("at"), text("agent"), text("server"), what, took, text("outcome") || text("code")];
}
