import config from "../../deno.json" with { type: "json" };

const ROOT = new URL("../../", import.meta.url).pathname;

/** Runs `deno task build`, into another folder: what it makes is all that is in there. */
export async function buildGateway(folder: string): Promise<void> {
  const command = config.tasks.build.command.replaceAll(/\bdist\b/g, folder);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--cwd", ROOT, "--eval", command],
    stdin: "null",
  }).output();
  if (!success) throw new Error(`Cannot build the gateway: ${new TextDecoder().decode(stderr)}`);
}
