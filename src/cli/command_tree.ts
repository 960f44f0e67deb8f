/**
 * All commands: what each takes, what its help says, and where its work is.
 *
 * @module
 */

import { type Application, buildApplication, buildCommand, buildRouteMap, proposeCompletions } from "@stricli/core";
import { VERSION } from "../version.ts";
import { CliError } from "./cli_error.ts";
import type { CliContext } from "./command_run.ts";
import type { ActivityFlags } from "./commands/activity.ts";
import type { AuditFlags } from "./commands/audit.ts";
import type { ImportFlags } from "./commands/import.ts";
import type { KeyNewFlags } from "./commands/key_new.ts";
import type { ToolsFlags } from "./commands/tools.ts";
import { EXIT_MEANINGS } from "./exit_codes.ts";
import { knownAgents, knownCallWords, knownTools } from "./known_names.ts";
import { AGENT_OPTIONS, asText, FILE_OPTIONS, GATEWAY_OPTIONS, OUTPUT_OPTIONS, textOption } from "./options.ts";
import type { OutputFlags } from "./output.ts";
import type { SessionFlags } from "./session.ts";
import { TEXTS } from "./texts.ts";

type CheckFlags = Omit<SessionFlags, "url" | "key">;
type FileFlags = Omit<CheckFlags, "timeout">;

const agentWord = {
  parse: asText,
  placeholder: "agent",
  brief: "The name of an agent",
  proposeCompletions(this: CliContext) {
    return knownAgents(this);
  },
};
const toolWord = {
  parse: asText,
  placeholder: "tool",
  brief: "The name that the tool is listed under",
  proposeCompletions(this: CliContext) {
    return knownTools(this);
  },
};
const oneAgent = { kind: "tuple", parameters: [{ ...agentWord, optional: true }] } as const;

const status = buildCommand<SessionFlags, [string?], CliContext>({
  loader: async () => (await import("./commands/status.ts")).status,
  parameters: { flags: AGENT_OPTIONS, positional: oneAgent },
  docs: {
    brief: "Tell which servers are up, and why others are not",
    fullDescription: `Tell which servers are up, and why others are not; of a file, each server is tried.
Ends with 1 where a server is down.`,
    customUsage: ["", "Kairos", { input: "--url https://mcp.example.com", brief: "Those of a running gateway" }],
  },
});

const tools = buildCommand<ToolsFlags, [string?], CliContext>({
  loader: async () => (await import("./commands/tools.ts")).tools,
  parameters: {
    flags: {
      search: textOption("words", "Words to look for"),
      ...AGENT_OPTIONS,
    },
    positional: oneAgent,
  },
  docs: {
    brief: "List the tools of an agent, or of all",
    customUsage: ["Kairos", { input: 'Kairos --search "read file"', brief: "The best matches first" }],
  },
});

const call = buildCommand<SessionFlags, string[], CliContext>({
  loader: async () => (await import("./commands/call.ts")).call,
  parameters: {
    flags: AGENT_OPTIONS,
    positional: {
      kind: "array",
      minimum: 2,
      parameter: {
        parse: asText,
        placeholder: "agent tool arguments",
        brief: "The agent, the tool, and its arguments: a JSON object, key=value pairs, @file, or - for standard input",
        proposeCompletions(this: CliContext) {
          return knownCallWords(this);
        },
      },
    },
  },
  docs: {
    brief: "Call a tool",
    fullDescription:
      `Call a tool. Its arguments are a JSON object, "@file", "-" for standard input, or pairs: of key=value
the value is a text where the tool wants one, else JSON; of key:=value it is JSON.
Ends with 1 where the tool answers that it failed, with 7 where no answer came in time.`,
    customUsage: [
      { input: "Kairos read_file path=notes.txt lines=20", brief: "Arguments as pairs" },
      { input: `Kairos read_file '{"path":"notes.txt"}'`, brief: "As JSON" },
      { input: "Kairos read_file @arguments.json --timeout 2m", brief: "From a file" },
      { input: "Kairos read_file - --json", brief: "From standard input" },
    ],
  },
});

const routes = buildCommand<SessionFlags, [string, string], CliContext>({
  loader: async () => (await import("./commands/routes.ts")).routes,
  parameters: { flags: AGENT_OPTIONS, positional: { kind: "tuple", parameters: [agentWord, toolWord] } },
  docs: { brief: "Tell who owns a tool's name, and why", customUsage: ["Kairos search"] },
});

const check = buildCommand<CheckFlags, [], CliContext>({
  loader: async () => (await import("./commands/check.ts")).check,
  parameters: { flags: { ...FILE_OPTIONS, timeout: GATEWAY_OPTIONS.timeout } },
  docs: {
    brief: "Check a configuration, and try each of its servers",
    fullDescription:
      `Check a configuration, and try each of its servers for real: nothing is called. Tells what to do about each fault.
Ends with 3 where the file has faults, with 1 where a server does not answer.`,
    customUsage: ["", {
      input: "--config other.yaml --timeout 5s",
      brief: "Another file; each server has five seconds",
    }],
  },
});

const permissions = buildCommand<FileFlags, [], CliContext>({
  loader: async () => (await import("./commands/permissions.ts")).permissions,
  parameters: { flags: FILE_OPTIONS },
  docs: {
    brief: "Print what a gateway has to be allowed, and nothing more",
    fullDescription:
      `Print the command that starts a gateway with the permissions that its configuration and the settings in the
environment need, and no others.`,
    customUsage: ["", { input: "--config other.yaml --json", brief: "For a program, each permission by itself" }],
  },
});

const schema = buildCommand<OutputFlags, [], CliContext>({
  loader: async () => (await import("./commands/schema.ts")).schema,
  parameters: { flags: OUTPUT_OPTIONS },
  docs: {
    brief: "Print the JSON Schema of a configuration, for editors",
    customUsage: [{ input: "> portolan.schema.json", brief: 'For "$schema", or yaml-language-server' }],
  },
});

const keyNew = buildCommand<KeyNewFlags, [], CliContext>({
  loader: async () => (await import("./commands/key_new.ts")).keyNew,
  parameters: {
    flags: {
      agent: { kind: "parsed", parse: asText, default: "*", placeholder: "agent", brief: 'What it opens; "*" is all' },
      id: textOption("name", "A name to revoke it by"),
      expires: textOption("date", "When it ends"),
      ...GATEWAY_OPTIONS,
      ...OUTPUT_OPTIONS,
    },
  },
  docs: {
    brief: "Make a key for a caller of the gateway",
    fullDescription: `Make a key for a caller of the gateway, and tell where its digest goes.
With --url the gateway makes the key, which then opens at once; that takes a key for "*".`,
    customUsage: [
      {
        input: "--agent Kairos --id 2027 --expires 2027-12-31",
        brief: "Prints the key; its digest goes into the file",
      },
      { input: "--agent Kairos --url https://mcp.example.com", brief: "Makes it at the gateway" },
    ],
  },
});

const activity = buildCommand<ActivityFlags, [string?], CliContext>({
  loader: async () => (await import("./commands/activity.ts")).activity,
  parameters: {
    flags: {
      limit: { kind: "parsed", parse: parseCount, default: "50", placeholder: "count", brief: "How many at most" },
      ...GATEWAY_OPTIONS,
      ...OUTPUT_OPTIONS,
    },
    positional: oneAgent,
  },
  docs: {
    brief: "Tell what has happened at a gateway, newest first",
    customUsage: [{ input: "Kairos --limit 10 --url https://mcp.example.com", brief: "The last calls and events" }],
  },
});

const audit = buildCommand<AuditFlags, [], CliContext>({
  loader: async () => (await import("./commands/audit.ts")).audit,
  parameters: {
    flags: {
      agent: textOption("agent", "Of this agent alone"),
      from: textOption("date", "From this date on"),
      to: textOption("date", "Up to this date"),
      ...GATEWAY_OPTIONS,
      ...OUTPUT_OPTIONS,
    },
  },
  docs: {
    brief: "Print the audit trail of a gateway as JSON Lines",
    fullDescription: 'Print the audit trail of a gateway as JSON Lines, oldest first; that takes a key for "*".',
    customUsage: [{
      input: "--from 2026-11-01 --agent Kairos > november.jsonl",
      brief: "With PORTOLAN_URL and PORTOLAN_KEY set",
    }],
  },
});

const importing = buildCommand<ImportFlags, [string?], CliContext>({
  loader: async () => (await import("./commands/import.ts")).importCommand,
  parameters: {
    flags: {
      from: {
        kind: "enum",
        values: ["claude", "cursor", "vscode"],
        optional: true,
        brief: "Look for the files of this program",
      },
      agent: { kind: "parsed", parse: asText, default: "default", placeholder: "name", brief: "Who gets the servers" },
      bridges: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Take servers that are processes too, at the addresses that their bridges will have",
      },
      write: textOption("file", "Write a new file"),
      ...OUTPUT_OPTIONS,
    },
    positional: {
      kind: "tuple",
      parameters: [{ parse: asText, optional: true, placeholder: "file", brief: 'A file of an editor, or "-"' }],
    },
  },
  docs: {
    brief: "Make a configuration of what Claude, Cursor or VS Code know",
    fullDescription: `Make a configuration of the servers that Claude, Cursor or VS Code know, and print it.
Secrets become variables, whose names are told. A server that is a process cannot run on the edge: the command
that puts it behind a bridge is told.`,
    customUsage: [
      {
        input: "--from cursor --write portolan.yaml",
        brief: "Finds the files of Cursor; writes no file that is there",
      },
      { input: ".vscode/mcp.json --agent Kairos", brief: "Reads one file, prints YAML" },
      { input: "--from claude --json", brief: "With what became of each server" },
    ],
  },
});

const completion = buildCommand<OutputFlags, [string], CliContext>({
  loader: async () => (await import("./commands/completion.ts")).completion,
  parameters: {
    flags: OUTPUT_OPTIONS,
    positional: {
      kind: "tuple",
      parameters: [{
        parse: asText,
        placeholder: "shell",
        brief: "bash, zsh or fish",
        proposeCompletions: () => ["bash", "zsh", "fish"],
      }],
    },
  },
  docs: {
    brief: "Print the completion for a shell",
    fullDescription: `Print the completion for a shell, for a program of the name "portolan", as
deno install --global --allow-all --name portolan jsr:@portolan/mcp/cli makes it.`,
    customUsage: [
      { input: 'bash   # eval "$(portolan completion bash)"', brief: "In ~/.bashrc" },
      { input: 'zsh    # eval "$(portolan completion zsh)"', brief: "In ~/.zshrc, behind compinit" },
      { input: "fish   # portolan completion fish | source", brief: "In ~/.config/fish/config.fish" },
    ],
  },
});

const key = buildRouteMap({ routes: { new: keyNew }, docs: { brief: "Keys of callers of the gateway" } });

const EXIT_TABLE = EXIT_MEANINGS.map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`).join("\n");

const DESCRIPTION = `Portolan ${VERSION}: the MCP servers of your agents, from a shell.

Commands read portolan.yaml, or ask a running gateway with --url (or PORTOLAN_URL) and PORTOLAN_KEY.
On a terminal they answer in text, elsewhere and with --json in JSON; failures go to standard error.

Examples
  portolan import --from cursor --write portolan.yaml   Begin with what an editor knows
  portolan check                                        Check the file and try each server
  portolan tools Kairos --search "read file"            Find a tool
  portolan call Kairos read_file path=notes.txt         Call it

Exit codes
${EXIT_TABLE}`;

/**
 * Makes the command line.
 *
 * @returns All commands, with what their parser says.
 */
export function createApp(): Application<CliContext> {
  const root = buildRouteMap<string, CliContext>({
    routes: {
      status,
      tools,
      call,
      routes,
      check,
      permissions,
      schema,
      key,
      import: importing,
      activity,
      audit,
      completion,
      complete: createCompleteCommand(),
    },
    docs: { brief: "The command line of Portolan", fullDescription: DESCRIPTION, hideRoute: { complete: true } },
  });
  return buildApplication(root, {
    name: "portolan",
    versionInfo: { currentVersion: VERSION },
    scanner: { caseStyle: "allow-kebab-for-camel", allowArgumentEscapeSequence: true },
    documentation: { onlyRequiredInUsageLine: true },
    localization: { text: TEXTS },
  });
}

/** What the scripts for the shells ask: what the last of some words may be completed to. */
function createCompleteCommand() {
  return buildCommand<OutputFlags, string[], CliContext>({
    async func(this: CliContext, _flags, ...words) {
      for (const { completion, brief } of await proposeCompletions(createApp(), words, { ...this, words })) {
        this.io.stdout.write(`${completion}\t${brief}\n`);
      }
    },
    parameters: {
      flags: OUTPUT_OPTIONS,
      positional: { kind: "array", parameter: { parse: asText, placeholder: "words", brief: "The words so far" } },
    },
    docs: { brief: "Tell what the last of some words may be completed to" },
  });
}

function parseCount(word: string): number {
  const count = /^\d{1,6}$/.test(word) ? Number(word) : 0;
  if (count > 0) return count;
  throw new CliError("invalid_usage", `Cannot use "${word}" as a count: write a whole number above 0`);
}
