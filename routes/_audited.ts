/**
 * What callers do besides calling tools, noted.
 *
 * @module
 */

import type { Context } from "hono";
import type { NotedAction } from "../src/audit/audit_trail.ts";
import { isMCPError } from "../src/errors.ts";
import type { GatewayEnv, RouteDeps } from "../src/gateway/gateway_env.ts";
import { RequestError } from "../src/gateway/request_error.ts";

/**
 * Does what a caller asks for, and notes who asked and how it ended.
 *
 * @param deps The collaborators.
 * @param c The context of the request.
 * @param action What it asks for.
 * @param work Does it; given what adds to the note what is known only then.
 * @returns What the work resolves to.
 */
export async function audited<T>(
  deps: RouteDeps,
  c: Context<GatewayEnv>,
  action: Omit<NotedAction, "requestId" | "caller" | "outcome">,
  work: (add: (more: Pick<NotedAction, "key">) => void) => Promise<T>,
): Promise<T> {
  const { audit } = deps;
  if (audit === undefined) return await work(() => {});
  let noted = { requestId: c.get("requestId"), caller: c.get("access").caller, ...action };
  try {
    const value = await work((more) => noted = { ...noted, ...more });
    audit.noteAction({ ...noted, outcome: "ok" });
    return value;
  } catch (error) {
    const outcome = isMCPError(error) || error instanceof RequestError ? error.code : "internal";
    audit.noteAction({ ...noted, outcome });
    throw error;
  }
}
