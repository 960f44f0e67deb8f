/**
 * A real reverse proxy: Debian's nginx.
 *
 * @module
 */

import { until } from "./client_support.ts";

/** A running proxy. */
export interface ReverseProxy extends AsyncDisposable {
  /** Where it listens. */
  readonly origin: string;
}

/**
 * Starts nginx on a free port of loopback, before a gateway.
 *
 * @param conf A configuration that listens on 127.0.0.1:8080 and passes on to 127.0.0.1:8000.
 * @param gateway Where the gateway listens instead.
 * @returns The proxy, once it passes a request on.
 */
export async function startNginx(conf: URL, gateway: string): Promise<ReverseProxy> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const folder = await Deno.makeTempDir();
  // Its workers are nobody's where it is started by root.
  await Deno.chmod(folder, 0o755);
  const text = (await Deno.readTextFile(conf)).replace("127.0.0.1:8080", `127.0.0.1:${port}`)
    .replace("127.0.0.1:8000", new URL(gateway).host);
  await Deno.writeTextFile(`${folder}/nginx.conf`, text);
  const args = ["-p", `${folder}/`, "-e", "stderr", "-c", `${folder}/nginx.conf`, "-g", "daemon off;"];
  const child = new Deno.Command("nginx", { args, stdin: "null", stdout: "null", stderr: "null" }).spawn();
  const origin = `http://127.0.0.1:${port}`;
  await until(() => fetch(`${origin}/healthz`).then((response) => response.text()).then(() => true, () => false));
  return {
    origin,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
      await Deno.remove(folder, { recursive: true });
    },
  };
}
