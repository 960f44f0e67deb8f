/**
 * All that the program says.
 *
 * @module
 */

import type { ClientEvent } from "../events.ts";
import type { AccessRule } from "../gateway/access_rule.ts";
import { describeListening, describeStartError, type ListenAddress } from "../gateway/announce.ts";
import { describeEvent } from "../gateway/event_text.ts";
import type { LineLevel, Log } from "./log.ts";
import { describeRequest } from "./request_line.ts";
import type { RequestRecord } from "./request_watch.ts";

/** Says what happens, by one log. */
export class ProgramLog {
  readonly #log: Log;

  /**
   * Creates what the program speaks by.
   *
   * @param log Where it is written.
   */
  constructor(log: Log) {
    this.#log = log;
  }

  /** Says what happens to a server, where that is worth a line. */
  readonly onEvent = (event: ClientEvent): void => {
    const level = toLevel(event);
    if (!this.#log.isOn(level)) return;
    const message = describeEvent(event);
    if (message === undefined) return;
    const { type, agent, server } = event;
    const code = event.type === "failed" ? { code: event.code } : {};
    this.#log.add(level, { message, fields: { event: type, agent, server, ...code } });
  };

  /** Says what an operator wants to know. */
  readonly onNotice = (message: string): void => {
    this.#log.add("info", { message });
  };

  /** Warns. */
  readonly onWarning = (message: string): void => {
    this.#log.add("warning", { message, text: [`Warning: ${message}`] });
  };

  /** Says where the gateway failed, not what the error says: a message may hold what a caller or a server sent. */
  readonly onInternalError = (error: unknown, requestId: string): void => {
    const [name, stack] = error instanceof Error ? [error.name, error.stack ?? ""] : [typeof error, ""];
    const frames = stack.split("\n").filter((line) => /^\s+at /.test(line)).slice(0, 8);
    const message = `Cannot answer request ${requestId} as the gateway failed: ${name}`;
    const at = frames.map((line) => line.trim());
    this.#log.add("error", { message, text: [message, ...frames], fields: { requestId, at } });
  };

  /** Says what became of a request; `undefined` where no such line would be written. */
  get onRequest(): ((record: RequestRecord) => void) | undefined {
    if (!this.#log.isOn("info")) return undefined;
    return (record) => {
      const { level, entry } = describeRequest(record);
      this.#log.add(level, entry);
    };
  }

  /**
   * Says that the gateway listens.
   *
   * @param address Where.
   * @param agents The names of the agents.
   * @param access Who may use it.
   */
  sayListening(address: ListenAddress, agents: readonly string[], access: AccessRule): void {
    const text = describeListening(address, agents, access).split("\n");
    const { hostname, port } = address;
    this.#log.add("info", { message: text[0] ?? "", text, fields: { hostname, port, agents: agents.length } });
  }

  /**
   * Says why the gateway cannot start, whatever else is said.
   *
   * @param error Why.
   * @param address Where it was to listen.
   */
  sayStartFailed(error: unknown, address: ListenAddress | undefined): void {
    const message = describeStartError(error, address);
    this.#log.addLast({ message, text: message.split("\n") });
  }
}

function toLevel(event: ClientEvent): LineLevel {
  switch (event.type) {
    case "call":
    case "token_renewed":
      return "debug";
    case "failed":
    case "authorization_required":
      return "warning";
    case "breaker":
      return event.state === "open" ? "warning" : "info";
    default:
      return "info";
  }
}
