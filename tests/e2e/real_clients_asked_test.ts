/** What servers ask reaches the callers of an agent, and their answers the servers, whatever era each of them is of. */

import { assertEquals, assertRejects } from "@std/assert";
import { startLegacyFixture } from "../conformance/fixture_legacy.ts";
import { startModernFixture } from "../conformance/fixture_modern.ts";
import { openAgentEndpoint } from "../support/agent_endpoint.ts";
import { ASKED_CALLERS } from "./_asked_callers.ts";

const SERVERS = { legacy: startLegacyFixture, modern: startModernFixture };

for (const [name, connect] of Object.entries(ASKED_CALLERS)) {
  for (const [era, startFixture] of Object.entries(SERVERS)) {
    Deno.test(`POST /agents/:agent/mcp lets a ${era} server ask ${name}`, async (t) => {
      await using server = startFixture();
      await using endpoint = await openAgentEndpoint({ harbour: { url: server.url } });
      const open = (answers: Parameters<typeof connect>[1]) => connect(endpoint, answers);

      await t.step("a person, who answers", async () => {
        const asked: string[] = [];
        await using caller = await open({
          onElicit(message) {
            asked.push(message);
            return { action: "accept", content: { response: "Genoa" } };
          },
        });
        const heard = JSON.parse(await caller.call("test_elicitation", { message: "Which port?" }));
        assertEquals(heard, { kind: "elicit", action: "accept", content: { response: "Genoa" } });
        assertEquals(asked, ["Which port?"]);
      });

      await t.step("a person, who says no", async () => {
        for (const action of ["decline", "cancel"] as const) {
          await using caller = await open({ onElicit: () => ({ action }) });
          const heard = JSON.parse(await caller.call("test_elicitation", { message: "Which port?" }));
          assertEquals(heard, { kind: "elicit", action });
        }
      });

      await t.step("a model", async () => {
        const asked: string[] = [];
        await using caller = await open({
          onSample(text) {
            asked.push(text);
            return "Genoa";
          },
        });
        const { kind, result } = JSON.parse(await caller.call("test_sampling", { prompt: "Which port?" }));
        assertEquals([kind, result.model, result.content.text], ["sampling", "pilot-1", "Genoa"]);
        assertEquals(asked, ["Which port?"]);
      });

      await t.step("in rounds", async () => {
        const answers: Record<string, Record<string, string>> = {
          "What is your name?": { name: "Anna" },
          "What is your favorite color?": { color: "blue" },
        };
        await using caller = await open({
          onElicit: (message) => ({ action: "accept", content: answers[message] ?? {} }),
        });
        assertEquals(await caller.call("test_input_required_result_multi_round"), "Anna likes blue");
      });

      await t.step("many at once, each its own questions", async () => {
        const names = ["Anna", "Berta", "Carla", "Dora"];
        const heard = await Promise.all(names.map(async (response) => {
          const asked: string[] = [];
          await using caller = await open({
            onElicit(message) {
              asked.push(message);
              return { action: "accept", content: { response } };
            },
          });
          const calls = [1, 2].map((number) => caller.call("test_elicitation", { message: `${response} ${number}` }));
          const responses = (await Promise.all(calls)).map((text) => JSON.parse(text).content);
          return { asked: asked.sort(), responses };
        }));
        const expected = names.map((response) => {
          return { asked: [`${response} 1`, `${response} 2`], responses: [{ response }, { response }] };
        });
        assertEquals(heard, expected);
      });

      await t.step("nobody who has not said that they can be asked", async () => {
        await using caller = await open({});
        await assertRejects(() => caller.call("test_elicitation", { message: "Which port?" }), Error);
      });
    });
  }
}
