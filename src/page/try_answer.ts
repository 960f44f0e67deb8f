/**
 * An answer as a page shows it: read no further than a cap, and no longer than a while.
 *
 * @module
 */

import { clearAlarm, setAlarm } from "../alarm.ts";
import { BodyReader } from "../connection/body_reader.ts";
import { JoinedSignal } from "../joined_signal.ts";

/** The most bytes of an answer that are read. */
export const MAX_SHOWN_BYTES = 262_144;
/** How long a stream of events is listened to, in milliseconds. */
const STREAM_MS = 10_000;

/** What is shown of an answer. */
export interface TryAnswer {
  /** The status. */
  readonly status: number;
  /** The headers. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The body as text, or `undefined` where it is none. */
  readonly text: string | undefined;
  /** How many bytes were read. */
  readonly bytes: number;
  /** Why there may be more of it. */
  readonly cut: "size" | "time" | undefined;
  /** How long it took, in milliseconds. */
  readonly tookMs: number;
}

/** How an answer is asked for. */
export interface AskOptions {
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** How long a stream is listened to, in milliseconds. @default {10_000} */
  readonly streamMs?: number | undefined;
}

/**
 * Sends a request and reads its answer.
 *
 * @param send Sends it, with a signal that is aborted when no more is wanted.
 * @param options How it is asked for.
 * @returns The answer.
 */
export async function askOnce(
  send: (signal: AbortSignal) => Promise<Response>,
  { signal, streamMs = STREAM_MS }: AskOptions,
): Promise<TryAnswer> {
  const began = performance.now();
  const over = new AbortController();
  using joined = new JoinedSignal(signal, over.signal);
  try {
    const response = await send(joined.signal);
    const { status, headers } = response;
    const type = headers.get("content-type") ?? "";
    const isStream = type.startsWith("text/event-stream");
    const { bytes, cut } = await readSome(response, isStream ? streamMs : undefined);
    const isText = type === "" || /^text\/|[/+]json\b/.test(type);
    return {
      status,
      headers: [...headers].sort(([one], [other]) => one < other ? -1 : 1),
      text: isText ? new TextDecoder().decode(bytes) : undefined,
      bytes: bytes.byteLength,
      cut,
      tookMs: performance.now() - began,
    };
  } finally {
    over.abort();
  }
}

/** What comes until the cap, the end, or the time. */
async function readSome(
  response: Response,
  forMs: number | undefined,
): Promise<{ readonly bytes: Uint8Array; readonly cut: TryAnswer["cut"] }> {
  if (response.body === null) return { bytes: new Uint8Array(), cut: undefined };
  const reader = new BodyReader(response, response.body);
  let cut: TryAnswer["cut"];
  const alarm = forMs === undefined ? undefined : setAlarm(() => {
    cut = "time";
    void reader.cancel();
  }, forMs);
  const bytes = new Uint8Array(MAX_SHOWN_BYTES);
  let size = 0;
  try {
    for (let chunk = await reader.read(); chunk !== undefined; chunk = await reader.read()) {
      const part = chunk.subarray(0, MAX_SHOWN_BYTES - size);
      bytes.set(part, size);
      size += part.byteLength;
      if (size < MAX_SHOWN_BYTES) continue;
      cut = "size";
      break;
    }
  } finally {
    clearAlarm(alarm);
    await reader.cancel();
  }
  return { bytes: bytes.subarray(0, size), cut };
}
