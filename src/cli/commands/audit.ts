/**
 * `portolan audit`: who did what at a gateway, as lines of JSON.
 *
 * @module
 */

import { CliError } from "../cli_error.ts";
import { toCommand } from "../command_run.ts";
import { EXIT } from "../exit_codes.ts";
import type { GatewayFlags } from "../session.ts";

/** The options of the command. */
export interface AuditFlags extends GatewayFlags {
  /** The agent whose entries are wanted. */
  readonly agent?: string | undefined;
  /** The earliest time. */
  readonly from?: string | undefined;
  /** The latest time. */
  readonly to?: string | undefined;
}

/** Prints the audit trail, page by page, oldest first. */
export const audit = toCommand(async (session, { agent, from, to }: AuditFlags) => {
  const gateway = await session.requireGateway();
  const wanted = Object.entries({ agent, from, to }).filter((one): one is [string, string] => one[1] !== undefined);
  let path: string | undefined = `/admin/audit?${new URLSearchParams(wanted)}`;
  while (path !== undefined) {
    // Written once the request has ended: whoever stops reading is no failure of the gateway.
    const page: { readonly text: string; readonly next: string | undefined } = await gateway.read(
      path,
      session.request,
      async (response) => ({ text: await response.text(), next: nextPage(response.headers.get("link")) }),
    );
    for (const line of page.text.split("\n")) {
      if (line !== "") session.output.jsonLine(parse(line));
    }
    path = page.next;
  }
  return EXIT.ok;
});

/** The path of the next page: of the link's address nothing else counts, so that the key goes nowhere else. */
function nextPage(link: string | null): string | undefined {
  const [, path] = /<(\/admin\/audit\?[^>]*)>\s*;\s*rel="next"/.exec(link ?? "") ?? [];
  return path;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new CliError("bad_gateway_answer", "Cannot read the audit trail as a line of it is no JSON: check --url", {
      cause,
    });
  }
}
