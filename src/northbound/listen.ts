/**
 * Streams of notices: `subscriptions/listen` of the modern era, and the stream of a legacy session.
 *
 * @module
 */

import { PREFIX } from "../connection/modern_envelope.ts";
import { Deadline } from "../deadline.ts";
import type { ListKind } from "../list_watch.ts";
import { isJsonObject, type JsonObject } from "../protocol.ts";
import type { Exchange, Services } from "./exchange.ts";
import { KEEP_ALIVE_MS, MessageStream } from "./message_stream.ts";
import { toCapabilities } from "./offer.ts";
import { toEraResult } from "./results.ts";
import { invalidParams, writeNotification, writeResult } from "./rpc.ts";
import type { Session } from "./session.ts";

/** How long it may take to watch resources before the caller is told which ones are, in milliseconds. */
const WATCH_MS = 5_000;
/** How often it is asked whether who listens still may, in milliseconds: a request is asked about at its beginning alone. */
export const RECHECK_MS = 20_000;
/** How many resources one stream may watch. */
const MAX_URIS = 256;

/** Which lists a caller wants to hear of, by the fields of the filter. */
const LISTS: ReadonlyMap<string, ListKind> = new Map([
  ["toolsListChanged", "tools"],
  ["promptsListChanged", "prompts"],
  ["resourcesListChanged", "resources"],
]);

/**
 * Answers `subscriptions/listen`: first with what is told, then with what happens, until the caller or the gateway ends.
 *
 * @param exchange The request.
 * @returns The stream.
 */
export async function listen(exchange: Exchange): Promise<Response> {
  const { agent, client, access, mayStill, request, services, signal } = exchange;
  const { notifications } = request.params;
  if (!isJsonObject(notifications)) throw invalidParams('Cannot listen as "notifications" is no JSON object');
  const kinds = readKinds(exchange, notifications);
  const wantedUris = readUris(notifications.resourceSubscriptions);
  const stamp: JsonObject = { [`${PREFIX}subscriptionId`]: request.id };

  const release = services.slots.take(access.caller, agent);
  const stream = openStream(services, mayStill, () => {
    listening.close();
    release();
  }, () => writeResult(request.id, toEraResult(exchange, { _meta: stamp })));
  // What happens before the caller knows what is told comes after that.
  const early: (() => void)[] = [];
  let begun = false;
  const offer = (method: string, params: JsonObject, key: string) => {
    const run = () => stream.offer(writeNotification(method, { ...params, _meta: stamp }), key);
    if (begun) run();
    else early.push(run);
  };
  const listening = services.notices.listen(client, {
    onListChanged: (kind) => {
      if (kinds.includes(kind)) offer(`notifications/${kind}/list_changed`, {}, kind);
    },
    onResourceUpdated: (uri) => offer("notifications/resources/updated", { uri }, `uri ${uri}`),
  });
  try {
    using deadline = new Deadline(WATCH_MS, { signal });
    const watching = wantedUris.map((uri) => listening.watchResource(uri, deadline.signal).then(() => uri));
    const watched = (await Promise.allSettled(watching)).flatMap((one) => one.status === "fulfilled" ? one.value : []);
    signal.throwIfAborted();
    stream.send(writeNotification("notifications/subscriptions/acknowledged", {
      _meta: stamp,
      notifications: {
        ...Object.fromEntries([...LISTS].filter(([, kind]) => kinds.includes(kind)).map(([field]) => [field, true])),
        ...(watched.length === 0 ? {} : { resourceSubscriptions: watched }),
      },
    }));
    begun = true;
    for (const run of early) run();
    return stream.toResponse();
  } catch (error) {
    stream.end();
    throw error;
  }
}

/**
 * Opens the stream of a session.
 *
 * @param session The session.
 * @param services What all requests share.
 * @param mayStill Whether the caller may still use the agent.
 * @returns The stream; it lives as long as the session, or until its reader goes or may listen no longer.
 */
export function listenInSession(session: Session, services: Services, mayStill: () => Promise<boolean>): Response {
  const release = services.slots.take(session.options.caller, session.options.agent);
  const stream = openStream(services, mayStill, () => {
    session.close(stream);
    release();
  }, () => undefined);
  session.open(stream);
  return stream.toResponse();
}

/** A stream that is kept alive, and ends when the gateway stops, or when its caller may listen no longer. */
function openStream(
  services: Services,
  mayStill: () => Promise<boolean>,
  onClosed: () => void,
  toLast: () => string | undefined,
): MessageStream {
  const { clock, stopping } = services;
  let stopChecks = () => {};
  const check = () =>
    stopChecks = clock.after(RECHECK_MS, async () => {
      const may = await mayStill().catch(() => false);
      if (stream.closed) return;
      if (may) check();
      else stream.end();
    });
  const stop = () => stream.end(toLast());
  const stream = new MessageStream({
    keepAlive: { ms: KEEP_ALIVE_MS, clock },
    onClosed: () => {
      stopChecks();
      stopping.removeEventListener("abort", stop);
      onClosed();
    },
  });
  stopping.addEventListener("abort", stop, { once: true });
  check();
  return stream;
}

/** The lists that are wanted, and that somebody may tell of. */
function readKinds(exchange: Exchange, notifications: JsonObject): readonly ListKind[] {
  const capabilities = toCapabilities(exchange, true);
  return [...LISTS].flatMap(([field, kind]) => {
    const offered = capabilities[kind];
    return notifications[field] === true && isJsonObject(offered) && offered.listChanged === true ? [kind] : [];
  });
}

function readUris(uris: unknown): readonly string[] {
  if (uris === undefined) return [];
  if (!Array.isArray(uris) || !uris.every((uri) => typeof uri === "string")) {
    throw invalidParams('Cannot listen as "resourceSubscriptions" is no list of URIs');
  }
  if (uris.length > MAX_URIS) {
    throw invalidParams(`Cannot listen as "resourceSubscriptions" has more than ${MAX_URIS} URIs`);
  }
  return [...new Set<string>(uris)];
}
