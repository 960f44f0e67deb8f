/**
 * What a server behind the gateway asks, put to the caller of the request it works on.
 *
 * @module
 */

import type { ElicitationAnswer, InputHandlers, Root, SamplingAnswer } from "../input.ts";
import { isJsonObject, type JsonObject } from "../protocol.ts";

/**
 * Puts a question to the caller.
 *
 * @param method The method: `elicitation/create`, `sampling/createMessage`, `roots/list`.
 * @param params The parameters.
 * @param signal Aborted when nobody waits for the answer any more.
 * @returns The caller's answer, unchecked.
 */
export type Ask = (method: string, params: JsonObject, signal: AbortSignal) => Promise<JsonObject>;

/** What a caller can be asked, by the name of the capability. */
const RELAYED = ["elicitation", "sampling", "roots"] as const;

/**
 * The part of a caller's capabilities that is about questions. Nothing else of them is passed on to a server.
 *
 * @param capabilities What the caller declares.
 * @returns The part; empty where the caller cannot be asked.
 */
export function toAskable(capabilities: unknown): JsonObject {
  if (!isJsonObject(capabilities)) return {};
  const askable: JsonObject = {};
  for (const name of RELAYED) {
    const declared = Object.hasOwn(capabilities, name) ? capabilities[name] : undefined;
    if (isJsonObject(declared)) askable[name] = declared;
  }
  return askable;
}

/**
 * The functions that put a server's questions to a caller.
 *
 * @param askable What the caller can be asked.
 * @param ask Puts a question.
 * @returns The functions; `undefined` where the caller cannot be asked.
 */
export function toInputHandlers(askable: JsonObject, ask: Ask): InputHandlers | undefined {
  const { elicitation, sampling, roots } = askable;
  if (Object.keys(askable).length === 0) return undefined;
  return {
    ...(isJsonObject(elicitation)
      ? {
        elicitationModes: toModes(elicitation),
        onElicit: async (question, { signal }) => {
          return toElicitationAnswer(await ask("elicitation/create", toParams(question), signal));
        },
      }
      : {}),
    ...(isJsonObject(sampling)
      ? {
        samplingTools: sampling.tools !== undefined,
        onSample: async (question, { signal }) => {
          const answer: unknown = await ask("sampling/createMessage", toParams(question), signal);
          return answer as SamplingAnswer;
        },
      }
      : {}),
    ...(isJsonObject(roots) ? { onListRoots: async ({ signal }) => toRoots(await ask("roots/list", {}, signal)) } : {}),
  };
}

/** Who says nothing of modes takes forms (specification 2025-11-25, Elicitation, Capabilities). */
function toModes(elicitation: JsonObject): readonly ("form" | "url")[] {
  const { form, url } = elicitation;
  if (url === undefined) return ["form"];
  return form === undefined ? ["url"] : ["form", "url"];
}

/**
 * A question without a mode is a form: callers of versions before 2025-11-25 know no modes. The token by which a server
 * would be told of progress is of its own connection.
 */
function toParams(question: object): JsonObject {
  const { _meta, mode, ...rest }: JsonObject = Object.fromEntries(
    Object.entries(question).filter(([, value]) => value !== undefined),
  );
  const { progressToken: _, ...meta } = isJsonObject(_meta) ? _meta : {};
  return {
    ...rest,
    ...(mode === undefined || mode === "form" ? {} : { mode }),
    ...(Object.keys(meta).length === 0 ? {} : { _meta: meta }),
  };
}

function toElicitationAnswer({ action, content }: JsonObject): ElicitationAnswer {
  return {
    action: action as ElicitationAnswer["action"],
    ...(isJsonObject(content) ? { content: content as Exclude<ElicitationAnswer["content"], undefined> } : {}),
  };
}

function toRoots({ roots }: JsonObject): readonly Root[] {
  if (!Array.isArray(roots)) throw new TypeError("Cannot use the answer as it holds no list of roots");
  return roots.map((root) => {
    const { uri, name } = isJsonObject(root) ? root : {};
    if (typeof uri !== "string") throw new TypeError("Cannot use the answer as a root of it has no URI");
    return { uri, name: typeof name === "string" ? name : undefined };
  });
}
