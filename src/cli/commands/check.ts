/**
 * `portolan check`: whether a configuration is good, and each of its servers answers.
 *
 * @module
 */

import { checkServers } from "../../operation/check_servers.ts";
import type { ServerFinding } from "../../operation/server_finding.ts";
import { toCommand } from "../command_run.ts";
import { EXIT } from "../exit_codes.ts";
import type { Output } from "../output.ts";
import { safeLine } from "../safe_text.ts";
import type { SessionFlags } from "../session.ts";

/** Reads the configuration, tries each server, and tells what to do about each fault; ends with 1 where there is one. */
export const check = toCommand(async (session, _flags: SessionFlags) => {
  const config = await session.loadConfig();
  const { output, io, request } = session;
  const total = Object.values(config.agents).reduce((sum, { servers }) => sum + Object.keys(servers).length, 0);
  let checked = 0;
  const servers = await session.waiting(`Trying ${total} servers …`, (line) => {
    const onChecked = () => line.progress({ progress: ++checked, total });
    return checkServers(config, { ...request, fetch: io.fetch, onChecked });
  });
  const failed = servers.filter(({ ok }) => !ok).length;
  if (output.isJson) {
    output.json({ config: session.configName, ok: failed === 0, servers });
  } else {
    output.line(`${output.paint("bold", safeLine(session.configName))} is well-formed`);
    for (const finding of servers) writeFinding(finding, output);
    const summary = failed === 0
      ? `All ${servers.length} servers answer`
      : `${failed} of ${servers.length} servers do not answer`;
    output.line(output.paint(failed === 0 ? "green" : "red", summary));
  }
  return failed === 0 ? EXIT.ok : EXIT.failed;
});

function writeFinding(finding: ServerFinding, output: Output): void {
  const { agent, server, ok, message, advice, era, transport, toolCount, durationMs, warnings } = finding;
  const name = output.paint("bold", safeLine(`${agent}/${server}`));
  const facts = [`${toolCount ?? 0} tools`, era, transport, `${Math.round(durationMs)} ms`].filter((one) =>
    one !== undefined
  );
  const mark = ok ? output.paint("green", "ok") : output.paint("red", "down");
  output.line(`  ${name}: ${mark}, ${safeLine(ok ? facts.join(", ") : message)}`);
  if (!ok && advice !== "") output.line(`    to do: ${safeLine(advice)}`);
  for (const { message: warning, advice: way } of warnings) {
    output.line(`    ${output.paint("yellow", "look:")} ${safeLine(`${warning}: ${way}`)}`);
  }
}
