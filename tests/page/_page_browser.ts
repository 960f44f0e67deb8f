/** A browser without a script: it keeps the cookie, follows redirections and sends forms. */

import type { Gateway, GatewayDeps, GatewayOptions } from "../../routes/mod.ts";
import type { AgentClient } from "../../src/gateway/agent_directory.ts";
import { openHarness } from "../gateway/gateway_support.ts";

export const ORIGIN = "http://gateway.test";

/** A page as it was answered. */
export interface ShownPage {
  readonly status: number;
  readonly html: string;
  readonly headers: Headers;
}

export class PageBrowser {
  readonly #gateway: Gateway;
  cookie: string | undefined;

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
  }

  /** Sends a request as the browser of a person does, with the cookie; follows nothing. */
  async ask(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers({ host: "gateway.test", accept: "text/html,application/xhtml+xml,*/*;q=0.8" });
    for (const [name, value] of new Headers(init.headers)) headers.set(name, value);
    if (this.cookie !== undefined) headers.set("cookie", this.cookie);
    const response = await this.#gateway.fetch(new Request(ORIGIN + path, { ...init, headers }));
    const [cookie] = response.headers.getSetCookie();
    if (cookie !== undefined) this.cookie = /Max-Age=0/.test(cookie) ? undefined : cookie.split(";")[0];
    return response;
  }

  /** Opens a page; redirections are followed. */
  async open(path: string): Promise<ShownPage> {
    return await this.#show(await this.ask(path));
  }

  /** Sends a form of the page; redirections are followed. */
  async send(path: string, fields: Record<string, string>, headers: HeadersInit = {}): Promise<ShownPage> {
    return await this.#show(await this.post(path, fields, headers));
  }

  /** Sends a form of the page. */
  async post(path: string, fields: Record<string, string>, headers: HeadersInit = {}): Promise<Response> {
    const all = { origin: ORIGIN, "sec-fetch-site": "same-origin", ...Object.fromEntries(new Headers(headers)) };
    return await this.ask(path, { method: "POST", body: new URLSearchParams(fields), headers: all });
  }

  async signIn(key: string): Promise<ShownPage> {
    return await this.send("/ui/session", { key });
  }

  async #show(response: Response): Promise<ShownPage> {
    const to = response.headers.get("location");
    if (to !== null) {
      await response.body?.cancel();
      return await this.open(to);
    }
    return { status: response.status, html: await response.text(), headers: response.headers };
  }
}

/** A gateway with the agents Kairos and Mercurius, and a browser that has not signed in. */
export async function openPage(
  overrides: Partial<AgentClient> = {},
  options: Partial<GatewayOptions> & Omit<GatewayDeps, "directory" | "started"> = {},
) {
  const harness = await openHarness(overrides, options);
  return { ...harness, browser: new PageBrowser(harness.gateway) };
}

/** A page without what is another one each time. */
export function withoutNonces(html: string): string {
  return html.replaceAll(/ nonce="[^"]*"/g, "");
}
