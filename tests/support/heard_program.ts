/**
 * What a program says while it runs.
 *
 * @module
 */

/** A program that is listened to. */
export interface HeardProgram {
  /** Where it listens; rejects where it ends before it says so. */
  readonly origin: Promise<string>;
  /** What it has said so far, by output. */
  readonly said: { stdout: string; stderr: string };
  /** Resolves when it has said everything. */
  readonly over: Promise<unknown>;
}

/**
 * Reads both outputs of a program until it ends.
 *
 * @param child The program; both are piped.
 * @returns What it says.
 */
export function hearProgram(child: Deno.ChildProcess): HeardProgram {
  const said = { stdout: "", stderr: "" };
  const origin = Promise.withResolvers<string>();
  origin.promise.catch(() => {});
  const read = async (output: "stdout" | "stderr") => {
    for await (const chunk of child[output].pipeThrough(new TextDecoderStream())) {
      said[output] += chunk;
      // In a line of its own, or in one of JSON: whole in both.
      const found = /listens on (http:\/\/[\w.:]+)[\n"]/.exec(said.stdout)?.[1];
      if (found !== undefined) origin.resolve(found);
    }
  };
  const over = Promise.all([read("stdout"), read("stderr")]).then(() => {
    origin.reject(new Error(`The program ended: ${said.stdout}${said.stderr}`));
  });
  return { origin: origin.promise, said, over };
}
