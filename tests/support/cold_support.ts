/**
 * What tests of cold isolates have in common: a store that outlives its clients, and what reached a server since.
 *
 * @module
 */

import { type AgentConfig, MultiServerMCPClient, type MultiServerMCPClientOptions } from "@portolan/mcp";
import { KvRouteStore } from "@portolan/mcp/kv";
import type { JsonObject } from "../../src/protocol.ts";
import type { RecordedRequest } from "./recorder.ts";

/** The secret that all isolates share. */
export const STORE_SECRET: Uint8Array = new TextEncoder().encode("a secret of more than 16 bytes");

/** A store in a file that several isolates open. */
export interface StoreFile extends AsyncDisposable {
  /** The file. */
  readonly path: string;
  /** Opens it once more; closed with the file. */
  open(): Promise<KvRouteStore>;
  /** Everything in it as text, bytes read as what they hold. */
  dump(): Promise<string>;
  /** Changes every saved connection. */
  changeConnections(change: (value: JsonObject) => JsonObject): Promise<void>;
}

/** A value as the store writes it. */
interface StoredValue {
  readonly json: Uint8Array;
}

const INSPECT = { depth: 20, strAbbreviateSize: Infinity, iterableLimit: Infinity };

function toReadable(value: unknown): unknown {
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, toReadable(part)]));
}

/** Makes an empty store in a temporary file. */
export async function createStoreFile(): Promise<StoreFile> {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/routes.db`;
  const opened: Deno.Kv[] = [];
  const openKv = async () => {
    const kv = await Deno.openKv(path);
    opened.push(kv);
    return kv;
  };
  return {
    path,
    open: async () => new KvRouteStore(await openKv()),
    async dump() {
      const entries = await Array.fromAsync((await openKv()).list({ prefix: [] }));
      return entries.map(({ key, value }) => Deno.inspect([key, toReadable(value)], INSPECT)).join("\n");
    },
    async changeConnections(change) {
      const kv = await openKv();
      for await (const { key, value } of kv.list<StoredValue>({ prefix: [] })) {
        if (!key.includes("connection")) continue;
        const json = JSON.stringify(change(JSON.parse(new TextDecoder().decode(value.json))));
        await kv.set(key, { ...value, json: new TextEncoder().encode(json) });
      }
    },
    async [Symbol.asyncDispose]() {
      for (const kv of opened) {
        try {
          kv.close();
        } catch {
          // The test has closed it itself.
        }
      }
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** The methods of the requests that reached a server since there were `count`. */
export function methodsSince(server: { readonly requests: readonly RecordedRequest[] }, count = 0): readonly string[] {
  return server.requests.slice(count).map(({ method, rpcMethod }) => rpcMethod ?? method);
}

/** A client that connects to everything, leaves what it learned in the store, and is gone. */
export async function fillStore(config: AgentConfig, options: MultiServerMCPClientOptions): Promise<void> {
  await using client = new MultiServerMCPClient("Kairos", config, options);
  await client.connectToServers();
}
