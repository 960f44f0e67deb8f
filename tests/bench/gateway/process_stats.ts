/** What a process has taken. */
export interface ProcessStats {
  /** The time of the processors, user and system, in milliseconds. */
  readonly cpuMs: number;
  /** The memory that is resident now, in MiB. */
  readonly rssMiB: number;
}

/** `sysconf(_SC_CLK_TCK)`, which is the same on every Linux that people run. */
const TICKS_PER_SECOND = 100;
/** Places of what `/proc/<pid>/stat` tells behind the name. */
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

/** Reads what a process has taken so far. */
export async function readProcessStats(pid: number): Promise<ProcessStats> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS]);
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return {
    cpuMs: ticks / TICKS_PER_SECOND * 1_000,
    rssMiB: Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024,
  };
}
