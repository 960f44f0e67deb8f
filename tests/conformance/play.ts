/**
 * The scenarios of the conformance suite, played as anybody would who uses the library: through its public API alone.
 *
 * @module
 */

import {
  type AuthConfig,
  type InputHandlers,
  isMCPError,
  type MCPErrorCode,
  SingleServerMCPClient,
  type Tool,
} from "@portolan/mcp";

/** What the suite tells of a scenario. */
export interface ScenarioContext {
  /** Calls to make. */
  readonly toolCalls?: readonly { readonly name: string; readonly arguments: Readonly<Record<string, unknown>> }[];
  /** The id of a client that is registered. */
  readonly client_id?: string;
  /** Its secret. */
  readonly client_secret?: string;
  /** Its key. */
  readonly private_key_pem?: string;
}

type Act = (client: SingleServerMCPClient, context: ScenarioContext) => Promise<unknown>;

/** Longer than a busy machine takes. */
const TIMEOUT_MS = 30_000;
const CALLBACK = "http://localhost:9/callback";
/** What the suite's authorization servers take for the client's document; nobody fetches it. */
const CLIENT_METADATA_URL = "https://conformance-test.local/client-metadata.json";

/** The scenarios whose servers are not to be trusted, and how the client has to refuse them. */
const REFUSALS: Readonly<Record<string, MCPErrorCode>> = {
  "auth/scope-retry-limit": "forbidden",
  "auth/resource-mismatch": "auth_failed",
  "auth/iss-supported-missing": "auth_failed",
  "auth/iss-wrong-issuer": "auth_failed",
  "auth/iss-unexpected": "auth_failed",
  "auth/iss-normalized": "auth_failed",
  "auth/metadata-issuer-mismatch": "auth_failed",
};

/** Everything that a server may ask for. */
const INPUT: InputHandlers = {
  onElicit: () => ({ action: "accept", content: { confirmed: true } }),
  onSample: () => ({ role: "assistant", content: { type: "text", text: "Aye" }, model: "none" }),
  onListRoots: () => [{ uri: "file:///srv/harbour", name: "harbour" }],
};

const ACTS: Readonly<Record<string, Act>> = {
  "initialize": (client) => client.listTools(),
  "tools_call": (client) => client.callTool("add_numbers", { a: 2, b: 3 }),
  "elicitation-sep1034-client-defaults": (client) => {
    const onElicit = () => ({ action: "accept" as const });
    return client.callTool("test_client_elicitation_defaults", {}, { input: { onElicit } });
  },
  "sse-retry": (client) => client.callTool("test_reconnection"),
  "request-metadata": (client) => client.listTools(),
  "sep-2322-client-request-state": async (client) => {
    const onElicit = async () => {
      await client.callTool("test_mrtr_unrelated");
      return { action: "accept" as const, content: { confirmed: true } };
    };
    await client.callTool("test_mrtr_echo_state", {}, { input: { onElicit } });
    await client.callTool("test_mrtr_no_state");
    await client.callTool("test_mrtr_no_result_type");
  },
  "http-standard-headers": async (client) => {
    await callEachTool(client);
    for (const { uri } of await client.listResources()) await client.readResource(uri);
    for (const { name } of await client.listPrompts()) await client.getPrompt(name);
  },
  "http-custom-headers": async (client, { toolCalls = [] }) => {
    await client.listTools();
    for (const call of toolCalls) await client.callTool(call.name, call.arguments);
  },
  "http-invalid-tool-headers": callEachTool,
  "json-schema-ref-no-deref": (client) => client.listTools(),
  "json-schema-2020-12-preservation": async (client) => {
    const tool = (await client.listTools()).find(({ name }) => name === "json_schema_2020_12_tool");
    await client.callTool("json_schema_echo", { schema: tool?.inputSchema });
  },
};

/**
 * Plays one scenario.
 *
 * @param scenario Its name.
 * @param url The server.
 * @param context What the suite tells of it.
 * @returns What went otherwise than it should have; `undefined` for nothing.
 */
export async function play(scenario: string, url: string, context: ScenarioContext): Promise<unknown> {
  const isAuth = scenario.startsWith("auth/");
  const act = isAuth ? callEachTool : ACTS[scenario];
  if (act === undefined) return `Cannot play scenario "${scenario}" as it is not known`;
  const server = {
    url,
    timeoutMs: TIMEOUT_MS,
    auth: isAuth ? toAuth(scenario, context) : undefined,
    // One of its calls has null for a boolean.
    validateArguments: scenario !== "http-custom-headers",
  };
  await using client = new SingleServerMCPClient("suite", server, { input: INPUT, onAuthorize: authorize });
  const refusal = REFUSALS[scenario];
  try {
    await act(client, context);
  } catch (error) {
    return isMCPError(error) && error.code === refusal ? undefined : error;
  }
  return refusal && `Expected the client to refuse the server with "${refusal}"`;
}

function toAuth(scenario: string, context: ScenarioContext): AuthConfig {
  const { client_id: clientId, client_secret: clientSecret, private_key_pem: privateKey } = context;
  const grant = scenario.startsWith("auth/client-credentials-") ? {} : { redirectUrl: CALLBACK };
  const client = clientId === undefined
    ? { clientMetadataUrl: CLIENT_METADATA_URL }
    : { clientId, clientSecret, privateKey };
  // The suite's authorization servers are on loopback.
  return { ...grant, ...client, allowPrivate: true };
}

/** What the browser of a person does who agrees at once. */
async function authorize(url: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, { redirect: "manual", signal });
  await response.body?.cancel();
  return response.headers.get("location") ?? "";
}

async function callEachTool(client: SingleServerMCPClient): Promise<void> {
  for (const tool of await client.listTools()) await client.callTool(tool.name, toArguments(tool));
}

/** A text for each argument that the tool cannot do without. */
function toArguments({ inputSchema: { required } }: Tool): Record<string, string> {
  return Object.fromEntries(Array.isArray(required) ? required.map((name) => [name, "ahoy"]) : []);
}
