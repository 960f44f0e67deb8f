import { delay } from "@std/async";
import { drop, hang, ok, sequence, sessionGone } from "../support/behaviours.ts";
import { refusedUrl, startRawServer, startSilentServer } from "../support/fault_server.ts";
import { startModernServer } from "../support/modern_server.ts";
import { type OpenRival, type Rival, RIVALS } from "./rivals/rival.ts";
import { toRow } from "./table.ts";

/** How long is waited for what should be quick: some hundred times what it takes where it works. */
const PATIENCE_MS = 4_000;
const WIDTHS = [66, 12, 12, 12, 12, 12];

/** One thing that goes wrong, and what comes of it. */
interface Trial {
  readonly what: string;
  /** Whether it takes a client of many servers. */
  readonly needsMany?: boolean;
  run(rival: Rival): Promise<string>;
}

const tool = (name: string) => ({
  name,
  inputSchema: { type: "object", properties: { text: { type: "string" } }, additionalProperties: false },
});

const TRIALS: readonly Trial[] = [
  {
    what: "one of eight servers hangs: a tool of another answers meanwhile",
    needsMany: true,
    async run(rival) {
      await using silent = startSilentServer();
      await using stack = new AsyncDisposableStack();
      const servers = Array.from({ length: 7 }, (_, at) => {
        return [`s${at}`, stack.use(startRawServer({}, { tools: [tool(`echo_${at}`)] })).url] as const;
      });
      const all = { ...Object.fromEntries(servers), silent: silent.url };
      return await within(() => withRival(rival, all, ({ call }) => call({ server: "s3", tool: "echo_3" })));
    },
  },
  {
    what: "one of two servers is down: the tools of the other are there",
    needsMany: true,
    async run(rival) {
      await using good = startRawServer({}, { tools: [tool("echo")] });
      const servers = { good: good.url, down: refusedUrl() };
      return await within(() => withRival(rival, servers, ({ call }) => call({ tool: "echo" })));
    },
  },
  {
    what: "two servers have a tool of the same name: both can be called",
    needsMany: true,
    async run(rival) {
      await using one = startRawServer({}, { tools: [tool("search")] });
      await using two = startRawServer({}, { tools: [tool("search")] });
      await within(() =>
        withRival(rival, { one: one.url, two: two.url }, async ({ names, call }) => {
          for (const tool of new Set(await names())) await call({ tool });
        })
      );
      return one.count("tools/call") > 0 && two.count("tools/call") > 0 ? "yes" : "no";
    },
  },
  {
    what: "the server has forgotten the session: the next call works",
    async run(rival) {
      await using server = startRawServer({ "tools/call": sequence(sessionGone(), ok) }, { sessionId: "s" });
      return await within(() => withRival(rival, { server: server.url }, ({ call }) => call({ tool: "echo" })));
    },
  },
  {
    what: "the answer to a call is lost: how often the server ran it",
    async run(rival) {
      await using server = startRawServer({ "tools/call": sequence(ok, drop, ok) });
      await within(() =>
        withRival(rival, { server: server.url }, async ({ call }) => {
          await call({ tool: "echo" });
          await call({ tool: "echo" });
        })
      );
      return `${server.count("tools/call") - 1} ×`;
    },
  },
  {
    what: "arguments of a wrong type: refused before they are sent",
    async run(rival) {
      await using server = startRawServer({}, { tools: [tool("echo")] });
      await within(() => {
        return withRival(rival, { server: server.url }, ({ call }) => call({ tool: "echo", args: { text: 7 } }));
      });
      return server.count("tools/call") === 0 ? "yes" : "no";
    },
  },
  {
    what: "twenty calls are given up without an answer: connections left open",
    async run(rival) {
      await using server = startRawServer({ "tools/call": hang });
      let left = 0;
      await within(() =>
        withRival(rival, { server: server.url }, async ({ call }) => {
          await Promise.all(Array.from({ length: 20 }, () => call({ tool: "echo", timeoutMs: 300 }).catch(() => {})));
          await delay(300);
          left = server.openStreams();
        })
      );
      return String(left);
    },
  },
  {
    what: "the server speaks 2026-07-28 alone: its tools can be called",
    async run(rival) {
      await using server = startModernServer();
      return await within(() => withRival(rival, { server: server.url }, ({ call }) => call({ tool: "whoami" })));
    },
  },
];

/** What other clients make of what goes wrong: each as its documentation has it used, with its own defaults. */
export async function* measureRivals(): AsyncGenerator<string> {
  yield toRow(["", ...RIVALS.map(({ name }) => name)], WIDTHS);
  for (const trial of TRIALS) {
    const cells: string[] = [];
    for (const rival of RIVALS) {
      cells.push(trial.needsMany === true && !rival.takesMany ? "–" : await trial.run(rival));
    }
    yield toRow([trial.what, ...cells], WIDTHS);
  }
}

async function within(work: () => Promise<unknown>): Promise<string> {
  const giveUp = new AbortController();
  const late = delay(PATIENCE_MS, { signal: giveUp.signal }).then(() => "no", () => "no");
  const verdict = await Promise.race([work().then(() => "yes", () => "no"), late]);
  giveUp.abort();
  return verdict;
}

async function withRival(
  rival: Rival,
  servers: Readonly<Record<string, string>>,
  work: (open: OpenRival) => Promise<unknown>,
): Promise<void> {
  const open = await rival.open(servers);
  try {
    await work(open);
  } finally {
    await Promise.race([open.close().catch(() => {}), delay(500)]);
  }
}
