/** A way to talk to MCP servers. */
export interface Contender {
  /** Its name in the tables. */
  readonly name: string;
  /** Connects to all servers at once and lists their tools. */
  connect(urls: readonly string[]): Promise<Connected>;
}

/** What has been connected. */
export interface Connected extends AsyncDisposable {
  /** How many tools were listed. */
  readonly tools: number;
  /** Calls the tool of a server with a text; resolves when the answer has been read, to that text. */
  call(server: number, tool: string, text: string): Promise<unknown>;
}

/** The text of a tool's result, of whatever client. */
export function textOf(result: unknown): unknown {
  const { content } = result as { readonly content?: readonly { readonly text?: unknown }[] };
  return content?.[0]?.text;
}
