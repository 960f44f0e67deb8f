/** A request, as it goes over the wire. */
export type RequestBytes = Uint8Array<ArrayBuffer>;

/** An answer. */
export interface SocketAnswer {
  /** The status. */
  readonly status: number;
  /** The headers, their names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** The body, whole. */
  readonly text: string;
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();
const READ_BYTES = 64 * 1024;

/** A POST of JSON as it goes over the wire. */
export function toRequestBytes(url: URL, body: unknown, headers: Readonly<Record<string, string>> = {}): RequestBytes {
  const json = JSON.stringify(body);
  const all = {
    host: url.host,
    accept: "application/json, text/event-stream",
    "content-type": "application/json",
    "content-length": String(ENCODER.encode(json).length),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return ENCODER.encode(`POST ${url.pathname}${url.search} HTTP/1.1\r\n${lines}\r\n${json}`);
}

/**
 * One connection on which requests follow each other: what measures is to cost as little as it can, as it runs on the
 * same machine.
 */
export class HttpSocket implements Disposable {
  readonly #connection: Deno.TcpConn;
  readonly #buffer = new Uint8Array(READ_BYTES);

  constructor(connection: Deno.TcpConn) {
    connection.setNoDelay(true);
    this.#connection = connection;
  }

  /** Connects. */
  static async open(url: URL): Promise<HttpSocket> {
    return new HttpSocket(await Deno.connect({ hostname: url.hostname, port: Number(url.port) }));
  }

  /** Sends a request and waits for the whole answer. */
  async ask(request: RequestBytes): Promise<SocketAnswer> {
    for (let sent = 0; sent < request.length;) sent += await this.#connection.write(request.subarray(sent));
    // What is asked and answered here is ASCII.
    let text = await this.#read();
    let end: number;
    while ((end = text.indexOf("\r\n\r\n")) === -1) text += await this.#read();
    const [line = "", ...rest] = text.slice(0, end).split("\r\n");
    const headers = new Map(rest.map((header) => {
      const colon = header.indexOf(":");
      return [header.slice(0, colon).toLowerCase(), header.slice(colon + 1).trim()] as const;
    }));
    const status = Number(line.split(" ")[1]);
    let body = text.slice(end + 4);
    if (headers.get("transfer-encoding") === "chunked") {
      while (!body.endsWith("0\r\n\r\n")) body += await this.#read();
      return { status, headers, text: toUnchunked(body) };
    }
    const length = Number(headers.get("content-length") ?? 0);
    while (body.length < length) body += await this.#read();
    return { status, headers, text: body };
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }

  async #read(): Promise<string> {
    const bytes = await this.#connection.read(this.#buffer);
    if (bytes === null) throw new Error("The connection was closed");
    return DECODER.decode(this.#buffer.subarray(0, bytes));
  }
}

function toUnchunked(body: string): string {
  let text = "";
  for (let at = 0;;) {
    const lineEnd = body.indexOf("\r\n", at);
    const length = parseInt(body.slice(at, lineEnd), 16);
    if (!(length > 0)) return text;
    text += body.slice(lineEnd + 2, lineEnd + 2 + length);
    at = lineEnd + 2 + length + 2;
  }
}
