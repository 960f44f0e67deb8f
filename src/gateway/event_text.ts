/**
 * What happens to a server, in words.
 *
 * @module
 */

import type { ClientEvent } from "../events.ts";

/**
 * A line for what happens to a server; calls and renewed tokens have none.
 *
 * @param event What happened.
 * @returns The line, or `undefined` where it is not worth one.
 */
export function describeEvent(event: ClientEvent): string | undefined {
  const who = event.agent === undefined ? `Server "${event.server}"` : `Server "${event.server}" of "${event.agent}"`;
  switch (event.type) {
    case "connected":
    case "recovered":
      return `${who} ${event.type === "connected" ? "is connected" : "is back"} (${event.era}, ${event.transport})`;
    case "failed":
      // The other event has told it, and there is no URL here to open.
      if (event.code === "authorization_required") return undefined;
      return `${who} failed (${event.code}): ${event.message}`;
    case "breaker":
      return event.state === "half_open" ? undefined : `${who} ${BREAKER[event.state]}`;
    case "tools_changed": {
      const { added, removed, changed } = event;
      return `${who} changed its tools: ${added.length} new, ${removed.length} gone, ${changed.length} changed`;
    }
    case "authorization_required":
      return `${who} needs a person to authorize`;
    case "token_renewed":
    case "authorized":
    case "call":
      return undefined;
  }
}

const BREAKER = { open: "kept failing and is left alone for a while", closed: "is asked again" };
