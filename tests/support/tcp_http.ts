/**
 * HTTP/1.1 by hand over TCP, so that a test server can count sockets and drop one at any moment.
 *
 * @module
 */

import { aborted } from "./interventions.ts";

/** Answers a request. `Response.error()` drops the connection instead. `request.signal` tells that the client left. */
export type TcpHandler = (request: Request) => Response | Promise<Response>;

/** A running server. */
export interface TcpHttpServer {
  /** Its port on loopback. */
  readonly port: number;
  /** How many sockets are open. */
  openConnections(): number;
  /** How many sockets were ever accepted. */
  acceptedConnections(): number;
  /** Closes every socket. Idempotent. */
  stop(): Promise<void>;
}

const HEAD_END = "\r\n\r\n";

/** Starts a server on a free port of loopback. */
export function serveTcpHttp(handler: TcpHandler): TcpHttpServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Map<Deno.TcpConn, Promise<void>>();
  let acceptedCount = 0;
  const accepting = (async () => {
    for await (const conn of listener) {
      acceptedCount++;
      // Head and body are written apart: without this the body waits 40 ms for the client's acknowledgement.
      conn.setNoDelay(true);
      open.set(conn, new Connection(conn, handler).run().finally(() => open.delete(conn)));
    }
  })();
  let stopped: Promise<void> | undefined;
  return {
    port: listener.addr.port,
    openConnections: () => open.size,
    acceptedConnections: () => acceptedCount,
    stop: () =>
      stopped ??= (async () => {
        listener.close();
        await accepting;
        const running = [...open.values()];
        for (const conn of open.keys()) closeQuietly(conn);
        await Promise.all(running);
      })(),
  };
}

class Connection {
  readonly #conn: Deno.TcpConn;
  readonly #handler: TcpHandler;
  readonly #gone = new AbortController();
  readonly #encoder = new TextEncoder();
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array();
  #wake = Promise.withResolvers<void>();
  #ended = false;

  constructor(conn: Deno.TcpConn, handler: TcpHandler) {
    this.#conn = conn;
    this.#handler = handler;
  }

  /** Serves requests until either side closes. */
  async run(): Promise<void> {
    const reading = this.#readAll();
    try {
      while (await this.#serveOne());
    } catch {
      // A client that leaves, or a socket that the server closes, ends the connection and nothing else.
    } finally {
      closeQuietly(this.#conn);
      await reading;
    }
  }

  /** Reads for as long as the socket lives, so that a client that leaves is noticed while a handler runs. */
  async #readAll(): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (let size = await this.#conn.read(buffer); size !== null; size = await this.#conn.read(buffer)) {
        const joined = new Uint8Array(this.#bytes.length + size);
        joined.set(this.#bytes);
        joined.set(buffer.subarray(0, size), this.#bytes.length);
        this.#bytes = joined;
        this.#wake.resolve();
        this.#wake = Promise.withResolvers<void>();
      }
    } catch {
      // The socket is gone.
    }
    this.#ended = true;
    this.#wake.resolve();
    this.#gone.abort();
  }

  async #serveOne(): Promise<boolean> {
    const head = await this.#takeHead();
    if (head === undefined) return false;
    const [requestLine = "", ...lines] = head.split("\r\n");
    const [method = "GET", path = "/"] = requestLine.split(" ");
    const headers = new Headers(lines.map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }));
    const body = await this.#takeBody(headers);
    const request = new Request(`http://${headers.get("host") ?? "127.0.0.1"}${path}`, {
      method,
      headers,
      body: body.length === 0 ? null : body,
      signal: this.#gone.signal,
    });
    const left = aborted(this.#gone.signal).then(() => Response.error());
    const answered = Promise.try(this.#handler, request).catch((error) => new Response(String(error), { status: 500 }));
    const response = await Promise.race([answered, left]);
    if (response.type === "error" || this.#ended) {
      void answered.then(({ body }) => body?.cancel());
      return false;
    }
    await this.#write(response);
    return headers.get("connection")?.toLowerCase() !== "close";
  }

  async #write({ status, headers, body }: Response): Promise<void> {
    const lines = [`HTTP/1.1 ${status} Test`, ...[...headers].map(([name, value]) => `${name}: ${value}`)];
    const bodyless = status === 204 || status === 304;
    lines.push(...(body !== null ? ["transfer-encoding: chunked"] : bodyless ? [] : ["content-length: 0"]));
    await this.#writeAll(this.#encoder.encode(lines.join("\r\n") + HEAD_END));
    if (body === null) return;
    const reader = body.getReader();
    const leave = () => void reader.cancel().catch(() => {});
    this.#gone.signal.addEventListener("abort", leave, { once: true });
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        if (next.value.length === 0) continue;
        await this.#writeAll(this.#encoder.encode(`${next.value.length.toString(16)}\r\n`));
        await this.#writeAll(next.value);
        await this.#writeAll(this.#encoder.encode("\r\n"));
      }
      await this.#writeAll(this.#encoder.encode(`0${HEAD_END}`));
    } finally {
      this.#gone.signal.removeEventListener("abort", leave);
      await reader.cancel().catch(() => {});
    }
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }

  async #takeHead(): Promise<string | undefined> {
    for (let searched = 0;;) {
      const end = indexOfHeadEnd(this.#bytes, searched);
      if (end !== -1) return new TextDecoder().decode(this.#take(end + HEAD_END.length)).slice(0, -HEAD_END.length);
      searched = Math.max(0, this.#bytes.length - 3);
      if (this.#ended) return undefined;
      await this.#wake.promise;
    }
  }

  async #takeBody(headers: Headers): Promise<Uint8Array<ArrayBuffer>> {
    const chunked = headers.get("transfer-encoding")?.includes("chunked") ?? false;
    if (!chunked) return await this.#takeBytes(Number(headers.get("content-length") ?? 0));
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    for (;;) {
      const size = Number.parseInt(await this.#takeLine(), 16);
      if (size > 0) chunks.push(await this.#takeBytes(size));
      await this.#takeLine();
      if (size === 0) return new Uint8Array(await new Blob(chunks).arrayBuffer());
    }
  }

  async #takeLine(): Promise<string> {
    for (;;) {
      const end = this.#bytes.indexOf(10);
      if (end !== -1) return new TextDecoder().decode(this.#take(end + 1)).trimEnd();
      await this.#more();
    }
  }

  async #takeBytes(size: number): Promise<Uint8Array<ArrayBuffer>> {
    while (this.#bytes.length < size) await this.#more();
    return this.#take(size);
  }

  async #more(): Promise<void> {
    if (this.#ended) throw new Deno.errors.UnexpectedEof("The client left in the middle of a request");
    await this.#wake.promise;
  }

  #take(size: number): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.slice(0, size);
    this.#bytes = this.#bytes.slice(size);
    return taken;
  }
}

function indexOfHeadEnd(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(13, from); at !== -1; at = bytes.indexOf(13, at + 1)) {
    if (bytes[at + 1] === 10 && bytes[at + 2] === 13 && bytes[at + 3] === 10) return at;
  }
  return -1;
}

function closeQuietly(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // It is closed already.
  }
}
