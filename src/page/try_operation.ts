/**
 * An operation tried by a form.
 *
 * @module
 */

import type { JsonObject } from "../protocol.ts";
import type { ApiOperation } from "./api_document.ts";
import { readSchemaForm } from "./read_schema_form.ts";
import type { TryAnswer } from "./try_answer.ts";
import { toFormPrefix, type Tried } from "./try_panel.tsx";
import { ACCEPTED, toCurl, toParameterSchema, toTryRequest, type TryRequest } from "./try_request.ts";

/** What an operation is tried with. */
export interface TryOptions {
  /** What was sent. */
  readonly form: URLSearchParams;
  /** The agents that there are to choose from. */
  readonly agents: readonly string[];
  /** Where the gateway is reached, for the command. */
  readonly origin: string;
  /** Whether a key is asked for. */
  readonly hasKey: boolean;
  /** Sends a request, and reads the answer. */
  readonly ask: (request: TryRequest) => Promise<TryAnswer>;
}

/**
 * Tries an operation. One that may not be brought back is sent only once its very line has been confirmed.
 *
 * @param operation The operation.
 * @param options What it is tried with.
 * @returns What came of it.
 */
export async function tryOperation(operation: ApiOperation, options: TryOptions): Promise<Tried> {
  const { form, agents, origin, hasKey, ask } = options;
  const { parameters, body, isDangerous, canStream } = operation;
  const tried: Tried = { operation: operation.id, sent: form };
  const values = parameters.length === 0
    ? { args: {} }
    : readSchemaForm(form, toParameterSchema(operation, agents), toFormPrefix(operation, "parameters"));
  const content = body === undefined
    ? { args: {} }
    : readSchemaForm(form, body.schema, toFormPrefix(operation, "body"));
  if ("faults" in values || "faults" in content) {
    return {
      ...tried,
      parameterFaults: "faults" in values ? values.faults : undefined,
      bodyFaults: "faults" in content ? content.faults : undefined,
    };
  }
  const wanted = form.get("accept");
  const accept = canStream && ACCEPTED.find((type) => type === wanted) || ACCEPTED[0];
  const request = toTryRequest(operation, values.args, toBody(operation, content.args), accept);
  if ("faults" in request) return { ...tried, parameterFaults: request.faults };
  const line = toLine(request);
  if (isDangerous && form.get("confirm") !== line) return { ...tried, toConfirm: line };
  return { ...tried, answer: await ask(request), command: toCurl(request, origin, hasKey && !operation.isKeyless) };
}

function toBody({ body }: ApiOperation, args: JsonObject): JsonObject | undefined {
  return body === undefined || (!body.isRequired && Object.keys(args).length === 0) ? undefined : args;
}

/** All that a person confirms, in a line. A form sends line breaks as others than it was given. */
function toLine({ method, target, body }: TryRequest): string {
  return `${method} ${target}${body === undefined ? "" : ` ${JSON.stringify(body)}`}`;
}
