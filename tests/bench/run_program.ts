/** What a program printed, and when. */
export interface ProgramRun {
  /** From the start of the process to its first line, in milliseconds. */
  readonly tookMs: number;
  /** Its first line. */
  readonly line: string;
}

/** Runs a program of this folder in a process of its own. */
export async function runProgram(
  path: string,
  args: readonly string[],
  flags: readonly string[] = [],
): Promise<ProgramRun> {
  const file = new URL(path, import.meta.url).pathname;
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", ...flags, file, ...args],
    stdout: "piped",
    stderr: "inherit",
  });
  const startedAt = performance.now();
  const child = command.spawn();
  let line = "";
  let tookMs: number | undefined;
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    tookMs ??= performance.now() - startedAt;
    line += chunk;
  }
  const { success } = await child.status;
  if (!success || tookMs === undefined) throw new Error(`The program ${path} failed`);
  return { tookMs, line: line.trim() };
}
