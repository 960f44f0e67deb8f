import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { CollisionPolicy } from "../../src/server_config.ts";
import { createNameTable, type ListedServer, type NameMatch, qualifyToolName } from "../../src/agent/tool_names.ts";

const POLICIES: readonly CollisionPolicy[] = ["first", "prefix", "error"];

function list(servers: Record<string, readonly string[]>): ListedServer[] {
  return Object.entries(servers).map(([server, tools]) => ({ server, tools }));
}

function ownerOf(match: NameMatch | undefined): string | undefined {
  return match?.kind === "owned" ? `${match.server}/${match.tool}` : match?.kind;
}

interface Row {
  readonly criterion: string;
  readonly policy: CollisionPolicy;
  readonly servers: Record<string, readonly string[]>;
  readonly exposed: readonly string[];
  readonly resolves: Record<string, string | undefined>;
}

const ROWS: readonly Row[] = [
  {
    criterion: "exposes a bare name that one server lists, and resolves its qualified name too",
    policy: "first",
    servers: { files: ["read", "write"] },
    exposed: ["read", "write"],
    resolves: { read: "files/read", files__read: "files/read", files__x: undefined, other: undefined },
  },
  {
    criterion: "gives an equal bare name to the server listed first",
    policy: "first",
    servers: { files: ["read"], disk: ["read", "format"] },
    exposed: ["read", "format", "disk__read"].sort(),
    resolves: { read: "files/read", disk__read: "disk/read", files__read: "files/read" },
  },
  {
    criterion: "exposes and resolves qualified names only",
    policy: "prefix",
    servers: { files: ["read", "a.b"], disk: ["read"] },
    exposed: ["disk__read", "files__read", qualifyToolName("files", "a.b")],
    resolves: { read: undefined, "a.b": undefined, "files__a.b": "files/a.b", disk__read: "disk/read" },
  },
  {
    criterion: "makes an equal bare name ambiguous",
    policy: "error",
    servers: { files: ["read", "write"], disk: ["read"] },
    exposed: ["disk__read", "files__read", "write"],
    resolves: { read: "ambiguous", write: "files/write", disk__read: "disk/read" },
  },
  {
    criterion: "keeps the namespace of a server from a bare name that looks like its own",
    policy: "first",
    servers: { evil: ["files__read", "files__gone"], files: ["read"] },
    exposed: ["evil__files__gone", "evil__files__read", "read"],
    resolves: { files__read: "files/read", files__gone: undefined, evil__files__read: "evil/files__read" },
  },
  {
    criterion: "gives a qualified name that two servers could spell to the longest server name",
    policy: "first",
    servers: { a: ["b__c", "b__d"], a__b: ["c"], a_: ["x"] },
    exposed: ["b__c", "b__d", "c", "x"],
    resolves: { a__b__c: "a__b/c", a__b__d: undefined, b__c: "a/b__c", [qualifyToolName("a_", "x")]: "a_/x" },
  },
  {
    criterion: "prefers the qualified name over an equal bare name of the same server",
    policy: "first",
    servers: { files: ["read", "files__read", "files__list"] },
    exposed: ["files__files__read", "files__list", "read"],
    resolves: { files__read: "files/read", files__list: "files/files__list" },
  },
  {
    criterion: "takes names of the object prototype and empty ones like any other",
    policy: "first",
    servers: { constructor: ["__proto__", "toString", ""] },
    exposed: ["__proto__", qualifyToolName("constructor", ""), "toString"],
    resolves: { ["__proto__"]: "constructor/__proto__", valueOf: undefined, "": "constructor/" },
  },
  {
    criterion: "resolves names that cannot be exposed as aliases, under the same policy",
    policy: "first",
    servers: { files: ["read.file", "x".repeat(100)], disk: ["read.file"] },
    exposed: [
      qualifyToolName("disk", "read.file"),
      qualifyToolName("files", "read.file"),
      qualifyToolName("files", "x".repeat(100)),
    ],
    resolves: {
      "read.file": "files/read.file",
      "disk__read.file": "disk/read.file",
      ["x".repeat(100)]: `files/${"x".repeat(100)}`,
    },
  },
];

for (const { criterion, policy, servers, exposed, resolves } of ROWS) {
  Deno.test(`createNameTable() ${criterion} (${policy})`, () => {
    const table = createNameTable(list(servers), policy);
    assertEquals(table.exposed.map(({ name }) => name).sort(), [...exposed].sort());
    for (const [name, expected] of Object.entries(resolves)) {
      assertEquals(ownerOf(table.resolve(name)), expected, name);
    }
  });
}

Deno.test("createNameTable() reports the shadowed tool, its owner and the name to call it by", () => {
  const table = createNameTable(list({ files: ["read"], disk: ["read"], evil: ["files__read", "read"] }), "first");
  assertEquals(table.shadowed, [
    { tool: "read", owner: "files", server: "disk", exposedAs: "disk__read" },
    { tool: "files__read", owner: "files", server: "evil", exposedAs: "evil__files__read" },
    { tool: "read", owner: "files", server: "evil", exposedAs: "evil__read" },
  ]);
  assertEquals(table.resolve("read"), {
    kind: "owned",
    server: "files",
    tool: "read",
    exposedAs: "read",
    reason: 'server "files" is the first in the configuration that lists it',
    shadowedServers: ["disk", "evil"],
  });
  const qualified = table.resolve("files__read");
  assertEquals(qualified?.kind === "owned" && qualified.shadowedServers, ["evil"]);
});

Deno.test("createNameTable() names every owner of an ambiguous name", () => {
  const table = createNameTable(list({ files: ["read"], disk: ["read"] }), "error");
  const owners = [{ server: "files", exposedAs: "files__read" }, { server: "disk", exposedAs: "disk__read" }];
  assertEquals(table.resolve("read"), { kind: "ambiguous", owners });
  assertEquals(table.shadowed.map(({ owner, server }) => ({ owner, server })), [
    { owner: undefined, server: "files" },
    { owner: undefined, server: "disk" },
  ]);
});

Deno.test("createNameTable() throws TypeError when a server's name is malformed or given twice", () => {
  assertThrows(() => createNameTable([{ server: "a b", tools: [] }], "first"), TypeError, "malformed name");
  assertThrows(() => createNameTable([{ server: "x".repeat(33), tools: [] }], "first"), TypeError);
  const twice = [{ server: "a", tools: [] }, { server: "a", tools: [] }];
  assertThrows(() => createNameTable(twice, "first"), TypeError, "given twice");
});

Deno.test("createNameTable() keeps exact names when a tool imitates the hashed name of another", () => {
  const imitation = qualifyToolName("files", "read.file").slice("files__".length);
  const table = createNameTable(list({ files: ["read.file", imitation] }), "prefix");
  assertEquals(ownerOf(table.resolve(`files__${imitation}`)), `files/${imitation}`);
  assertEquals(table.exposed.length, new Set(table.exposed.map(({ name }) => name)).size);
});

const character = fc.constantFrom("a", "b", "_", "_", "_", "-", ".", "ü", "\ud800", "\u202e", "A");
const toolName = fc.oneof(
  fc.string({ unit: character, maxLength: 7 }),
  fc.constantFrom("__proto__", "constructor", "toString", "", "read", "a__b", "a__read", "a__b__c", "b__c", "_", "__"),
  fc.string({ unit: character, minLength: 60, maxLength: 140 }),
);
const tools = fc.array(toolName, { maxLength: 12 });
const serverName = fc.constantFrom("a", "b", "a_", "a__", "a__b", "a__read", "a-b", "_", "constructor", "x".repeat(32));
const servers = fc.uniqueArray(fc.record({ server: serverName, tools }), {
  selector: ({ server }) => server,
  maxLength: 5,
});
const policies = fc.constantFrom(...POLICIES);

Deno.test("createNameTable() exposes each tool once, under a unique valid name that resolves to it", () => {
  fc.assert(fc.property(servers, policies, (listed, policy) => {
    const table = createNameTable(listed, policy);
    const want = listed.flatMap(({ server, tools }) =>
      [...new Set(tools)].map((tool) => JSON.stringify([server, tool]))
    );
    assertEquals(table.exposed.map(({ server, tool }) => JSON.stringify([server, tool])).sort(), want.sort());
    assertEquals(new Set(table.exposed.map(({ name }) => name)).size, table.exposed.length);
    for (const { name, server, tool } of table.exposed) {
      assertEquals(/^[A-Za-z0-9_-]{1,64}$/.test(name), true, name);
      const match = table.resolve(name);
      assertEquals(match?.kind === "owned" && [match.server, match.tool, match.exposedAs], [server, tool, name]);
    }
    for (const { server, tool, exposedAs } of table.shadowed) {
      assertEquals(ownerOf(table.resolve(exposedAs)), `${server}/${tool}`);
    }
  }));
});

Deno.test("createNameTable() does not depend on the order of a server's tools", () => {
  fc.assert(fc.property(servers, policies, (listed, policy) => {
    const turned = listed.map(({ server, tools }) => ({ server, tools: [...tools, ...tools].reverse() }));
    const [one, two] = [createNameTable(listed, policy), createNameTable(turned, policy)];
    assertEquals(two.exposed, one.exposed);
    assertEquals(two.shadowed, one.shadowed);
    for (const name of listed.flatMap(({ server, tools }) => tools.flatMap((tool) => [tool, `${server}__${tool}`]))) {
      assertEquals(two.resolve(name), one.resolve(name));
    }
  }));
});

Deno.test("createNameTable() keeps every owner when a server is added at the end, its own namespace aside", () => {
  fc.assert(fc.property(servers, serverName, tools, (listed, server, tools) => {
    fc.pre(listed.every((other) => other.server !== server));
    const before = createNameTable(listed, "first");
    const after = createNameTable([...listed, { server, tools }], "first");
    const asked = listed.flatMap((other) => other.tools.flatMap((tool) => [tool, `${other.server}__${tool}`]));
    for (const name of [...asked, ...before.exposed.map(({ name }) => name)]) {
      if (name.startsWith(`${server}__`)) continue;
      assertEquals(ownerOf(after.resolve(name)), ownerOf(before.resolve(name)), name);
    }
  }));
});

Deno.test("createNameTable() never gives a name in a server's namespace to another server", () => {
  fc.assert(fc.property(servers, policies, (listed, policy) => {
    const table = createNameTable(listed, policy);
    const longestFirst = listed.map(({ server }) => server).sort((one, two) => two.length - one.length);
    const asked = listed.flatMap(({ server, tools }) => tools.flatMap((tool) => [tool, `${server}__${tool}`]));
    for (const name of [...asked, ...table.exposed.map(({ name }) => name)]) {
      const namespace = longestFirst.find((server) => name.startsWith(`${server}__`));
      const match = table.resolve(name);
      if (namespace !== undefined && match !== undefined) {
        assertEquals(match.kind === "owned" && match.server, namespace, name);
      }
    }
  }));
});

Deno.test("createNameTable() lets bare names follow the policy", () => {
  fc.assert(fc.property(servers, (listed) => {
    const plain = /^[A-Za-z0-9-]*$/;
    const names = new Set(listed.flatMap(({ tools }) => tools).filter((tool) => plain.test(tool)));
    const [first, prefix, error] = POLICIES.map((policy) => createNameTable(listed, policy));
    for (const name of names) {
      const owners = listed.filter(({ tools }) => tools.includes(name)).map(({ server }) => server);
      assertEquals(ownerOf(first?.resolve(name)), `${owners[0]}/${name}`);
      assertEquals(prefix?.resolve(name), undefined);
      const match = error?.resolve(name);
      assertEquals(match?.kind === "ambiguous" ? match.owners.map(({ server }) => server) : [owners[0]], owners);
    }
  }));
});

Deno.test("createNameTable() takes 100 servers with 100 equal tools each in well under a second", () => {
  const tools = Array.from({ length: 100 }, (_, at) => `tool_${at}`);
  const many = Array.from({ length: 100 }, (_, at) => ({ server: `server${at}`, tools }));
  const startMs = performance.now();
  assertEquals(createNameTable(many, "first").shadowed.length, 9_900);
  assertEquals(performance.now() - startMs < 1_000, true);
});
