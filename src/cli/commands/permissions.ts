/**
 * `portolan permissions`: what a gateway has to be allowed, and nothing more.
 *
 * @module
 */

import { parseSettings } from "../../gateway/settings.ts";
import { toCommand as toShellCommand, toDenoArgs, toPermissions } from "../../operation/permissions.ts";
import { toCommand } from "../command_run.ts";
import { EXIT } from "../exit_codes.ts";
import { safeLine } from "../safe_text.ts";
import type { SessionFlags } from "../session.ts";

/** Prints the command that starts a gateway with the permissions that its configuration needs. */
export const permissions = toCommand(async (session, { config: path }: SessionFlags) => {
  const config = await session.loadConfig();
  const ofEnvironment = parseSettings(session.io.env);
  const settings = path === undefined ? ofEnvironment : { ...ofEnvironment, config: { path } };
  const text = "text" in settings.config ? settings.config.text : await session.readFile(settings.config.path);
  const needed = toPermissions({ config, text, settings });
  const command = toShellCommand(toDenoArgs(needed));
  const { output } = session;
  if (output.isJson) {
    output.json({ command, permissions: needed });
    return EXIT.ok;
  }
  output.line(safeLine(command, Infinity));
  for (const note of needed.notes) output.note(`${output.paintError("yellow", "Note:")} ${safeLine(note)}`);
  return EXIT.ok;
});
