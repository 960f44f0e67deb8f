/**
 * What the command line works with: everything outside of it, as its caller gives it.
 *
 * @module
 */

/**
 * Where text goes: a terminal, a pipe, a file.
 *
 * @example
 * ```ts
 * import type { CliStream } from "@portolan/mcp/cli";
 * import { assertEquals } from "@std/assert";
 *
 * const written: string[] = [];
 * const stream: CliStream = { isTerminal: false, columns: undefined, write: (text) => void written.push(text) };
 * stream.write("ready\n");
 * assertEquals(written, ["ready\n"]);
 * ```
 */
export interface CliStream {
  /** Whether a person looks at it. */
  readonly isTerminal: boolean;
  /** How many columns the terminal has, where that is known. */
  readonly columns: number | undefined;
  /**
   * Writes a text.
   *
   * @param text The text.
   */
  write(text: string): void;
}

/**
 * Everything outside of the command line.
 *
 * @example
 * ```ts
 * import { type CliIO, runCli } from "@portolan/mcp/cli";
 *
 * const runTwice = async (io: CliIO): Promise<number> => await runCli(["check"], io) || await runCli(["status"], io);
 * ```
 */
export interface CliIO {
  /** The environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The operating system, as Deno names it: `linux`, `darwin`, `windows`. */
  readonly os: string;
  /** The folder that relative paths are relative to. */
  readonly cwd: string;
  /** Where arguments, a key or a file are read from that are given as `-`. */
  readonly stdin: {
    /** Whether a person would have to type. */
    readonly isTerminal: boolean;
    /** Reads all of it. */
    readText(): Promise<string>;
  };
  /** Where answers go. */
  readonly stdout: CliStream;
  /** Where everything goes that is no answer. */
  readonly stderr: CliStream;
  /** Aborted when the person interrupts. */
  readonly signal: AbortSignal;
  /** The way to the network. */
  readonly fetch: typeof fetch;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
  /**
   * Reads a file.
   *
   * @param path Its path.
   * @returns Its text.
   */
  readTextFile(path: string): Promise<string>;
  /**
   * Writes a file that must not be there yet.
   *
   * @param path Its path.
   * @param text Its text.
   */
  writeNewTextFile(path: string, text: string): Promise<void>;
}
