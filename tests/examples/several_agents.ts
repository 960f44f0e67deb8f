/**
 * Several agents over the same servers: each sees its own tools, with its own credential.
 *
 *   NOTES_URL=http://localhost:3001/mcp DOWN_URL=http://localhost:3002/mcp deno run --allow-net --allow-env several_agents.ts
 */

import { isMCPError, MCPClientManager } from "@portolan/mcp";
import { parseConfig } from "@portolan/mcp/config";

const config = parseConfig(
  `
servers:
  notes:
    url: "\${env:NOTES_URL:-http://localhost:3001/mcp}"
    headers: { x-user: "\${USER}" }
  weather: { url: "\${env:DOWN_URL:-http://localhost:3002/mcp}" }
  read_only:
    url: "\${env:NOTES_URL:-http://localhost:3001/mcp}"
    headers: { x-user: "\${USER}" }
    tools: { allow: ["read_*"] }
agents:
  Ada: { servers: [notes, weather], secrets: { notes: { USER: ada } } }
  Grace: { servers: [notes], secrets: { notes: { USER: grace } } }
  Visitor: { servers: [read_only], secrets: { read_only: { USER: visitor } } }
`,
  { env: Deno.env.toObject() },
);

await using manager = new MCPClientManager(config);
console.log("connected:", await manager.connectAll({ timeoutMs: 5_000 }));
for (const [agent, { connectedServers, totalServers, totalTools }] of Object.entries(manager.getStatusSummary())) {
  console.log(`${agent}: ${connectedServers} of ${totalServers} servers, ${totalTools} tools`);
}

// Each as itself: the server knows them by what they send.
for (const agent of ["Ada", "Grace"]) {
  const { content } = await manager.openClient(agent).callTool("write_note", { text: `from ${agent}` });
  console.log(`${agent}:`, content[0]?.text);
}

// What an agent may not call is not there for it, nor is what is down in the way of the rest.
try {
  await manager.openClient("Visitor").callTool("write_note", { text: "me too" });
} catch (error) {
  if (isMCPError(error)) console.log("Visitor:", error.code);
}
console.log("tried again:", await manager.reconnectAll({ timeoutMs: 5_000 }));
