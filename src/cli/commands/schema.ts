/**
 * `portolan schema`: the JSON Schema of the configuration.
 *
 * @module
 */

import { toConfigSchema } from "../../config/config_schema.ts";
import { toCommand } from "../command_run.ts";
import { EXIT } from "../exit_codes.ts";
import type { SessionFlags } from "../session.ts";

/** Prints the schema, the same on a terminal and elsewhere. */
export const schema = toCommand((session, _flags: SessionFlags) => {
  session.output.json(toConfigSchema());
  return Promise.resolve(EXIT.ok);
});
