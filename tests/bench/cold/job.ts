/** What a cold process is to do: its one argument, as JSON. */
export interface ColdJob {
  /** The endpoints; the tool is that of the last one. */
  readonly urls: readonly string[];
  /** The tool. */
  readonly tool: string;
  /** The session at the last endpoint, where one is kept. */
  readonly sessionId?: string | undefined;
  /** The route cache, where there is one. */
  readonly kvPath?: string | undefined;
}

/** The job of this process. */
export function readJob(): ColdJob {
  return JSON.parse(Deno.args[0] ?? "{}");
}

/** Tells the parent that the result is there, and ends the process as an isolate ends: with nothing closed. */
export function finish(text: unknown): never {
  console.log(text === "ahoy" ? "ok" : "wrong");
  Deno.exit();
}
