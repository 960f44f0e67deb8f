import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { openPage, ORIGIN, PageBrowser, withoutNonces } from "./_page_browser.ts";

Deno.test("GET / answers people with a form, and programs with the routes", async () => {
  const { browser, ask } = await openPage();
  const page = await browser.open("/");
  assertEquals(page.status, 200);
  assertStringIncludes(page.html, "Key or token");
  assertEquals(page.headers.get("vary")?.includes("Accept"), true);
  for (const accept of ["*/*", "application/json", "application/json, text/html;q=0.9"]) {
    const response = await ask("/", { headers: { accept }, key: null });
    assertEquals((await response.json()).name, "Portolan", accept);
  }
});

Deno.test("the page shows nothing before somebody has signed in: no agent, no server, no count", async () => {
  const { browser } = await openPage();
  for (
    const path of ["/", "/ui/activity", "/ui/agents/Kairos", "/ui/agents/Nobody", "/ui/agents/Kairos/tools/search"]
  ) {
    const page = await browser.open(path);
    assertStringIncludes(page.html, "Sign in");
    // What was asked for is kept for afterwards, whether there is such a thing or not.
    const html = page.html.replace(`name="back" value="${path}"`, "");
    assertEquals(/Kairos|Mercurius|files|search|\d+ (server|tool|agent)/.test(html), false, path);
  }
  const events = await browser.ask("/ui/events");
  assertEquals([events.status, await events.text()], [401, ""]);
  const call = await browser.post("/ui/agents/Kairos/tools/search", {});
  assertEquals([call.status, await call.text()], [401, ""]);
});

Deno.test("POST /ui/session keeps the key in a cookie that scripts and other sites do not get", async () => {
  const { browser } = await openPage();
  const response = await browser.post("/ui/session", { key: "kairos-key" });
  assertEquals([response.status, response.headers.get("location")], [303, "/"]);
  const [cookie = ""] = response.headers.getSetCookie();
  assertMatch(cookie, /^portolan_session=\d{13}\.[\w-]+; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/);
  assertEquals(cookie.includes("kairos-key"), false);
  const { html } = await browser.open("/");
  assertStringIncludes(html, "Kairos");
});

Deno.test("POST /ui/session keeps the cookie to https where the page is served by it", async () => {
  const { browser } = await openPage();
  const fields = { key: "kairos-key" };
  const response = await browser.post("/ui/session", fields, { origin: "https://gateway.test" });
  assertMatch(response.headers.getSetCookie()[0] ?? "", /; Secure/);
});

Deno.test("POST /ui/session answers the same to every key that opens nothing", async () => {
  const { browser } = await openPage();
  const pages = [];
  for (const key of ["wrong", "", "kairos-ke", "a.b.c", "ä\n", "k".repeat(5_000)]) {
    const page = await browser.signIn(key);
    assertEquals([page.status, browser.cookie], [401, undefined], key);
    pages.push(withoutNonces(page.html));
  }
  assertEquals(new Set(pages).size, 1);
  assertStringIncludes(pages[0]!, "This key opens nothing here");
});

Deno.test("POST /ui/session shows what was asked for, also at the second try, and goes to no other site", async () => {
  const { browser } = await openPage();
  const path = "/ui/agents/Kairos?q=sea%22rch";
  const backOf = (html: string) => /name="back" value="([^"]*)"/.exec(html)?.[1]?.replaceAll("&quot;", '"');
  const asked = backOf((await browser.open(path)).html) ?? "";
  assertEquals(asked, path);
  const refused = await browser.send("/ui/session", { key: "wrong", back: asked });
  assertEquals([refused.status, backOf(refused.html)], [401, path]);
  const toLocation = async (back: string) => {
    const response = await browser.post("/ui/session", { key: "kairos-key", back });
    return response.headers.get("location");
  };
  assertEquals(await toLocation(path), path);
  assertEquals((await browser.ask(path, { method: "HEAD" })).status, 200, "an open page asks so whether to load anew");
  assertEquals(await toLocation("/docs?agent=Kairos"), "/docs?agent=Kairos");
  const others = [
    "//evil.test/ui/agents/",
    "http://evil.test/ui/agents/Kairos",
    "/ui/agents/../..//evil.test",
    "\\\\evil.test\\ui\\agents\\",
    "javascript:alert(1)",
    "/ui/events",
    "/ui/session",
    "/status",
    "http://[",
    "",
  ];
  for (const other of others) assertEquals(await toLocation(other), "/", other);
});

Deno.test("POST /ui/session/end signs out", async () => {
  const { browser } = await openPage();
  await browser.signIn("admin-key");
  const page = await browser.send("/ui/session/end", {});
  assertEquals(browser.cookie, undefined);
  assertStringIncludes(page.html, "Key or token");
});

Deno.test("a key that is revoked opens the page no longer, though the cookie is kept", async () => {
  const { browser, ask } = await openPage();
  const made = await ask("/admin/agents/Mercurius/keys", {
    method: "POST",
    body: '{"id":"short"}',
    headers: { "content-type": "application/json" },
    key: "admin-key",
  });
  assertStringIncludes((await browser.signIn((await made.json()).key)).html, "Mercurius");
  await (await ask("/admin/agents/Mercurius/keys/short", { method: "DELETE", key: "admin-key" })).body?.cancel();
  assertStringIncludes((await browser.open("/")).html, "Key or token");
});

Deno.test("the cookie opens nothing but the page: a program needs the key", async () => {
  const { browser } = await openPage();
  await browser.signIn("admin-key");
  for (const path of ["/status", "/agents/Kairos/tools", "/agents/Kairos/mcp", "/admin/agents/Kairos/keys"]) {
    const response = await browser.ask(path);
    await response.body?.cancel();
    assertEquals(response.status, 401, path);
  }
});

Deno.test("forms of other sites are refused, and so is whoever does not say where a form is from", async () => {
  const { browser, directory } = await openPage();
  await browser.signIn("admin-key");
  const body = new URLSearchParams({ server: "files" });
  const refused: HeadersInit[] = [
    {},
    { origin: "null" },
    { origin: "http://evil.test" },
    { origin: ORIGIN, "sec-fetch-site": "cross-site" },
    { origin: ORIGIN, "sec-fetch-site": "same-site" },
    { "sec-fetch-site": "none" },
  ];
  for (
    const path of ["/ui/agents/Kairos/reconnect", "/ui/session", "/ui/session/end", "/ui/agents/Kairos/tools/search"]
  ) {
    for (const headers of refused) {
      const response = await browser.ask(path, { method: "POST", body, headers });
      assertEquals(response.status, 403, `${path} ${JSON.stringify(headers)}`);
      assertStringIncludes(await response.text(), "<h1");
    }
  }
  assertEquals(directory.asked.filter(({ method }) => method !== "openClient"), []);
  assertEquals((await browser.ask("/ui/agents/Kairos/reconnect", { method: "PUT", headers: {} })).status, 403);
});

Deno.test("what comes of the page may load only what it names, and is shown in no other page", async () => {
  const { browser } = await openPage();
  const { headers, html } = await browser.open("/");
  const policy = headers.get("content-security-policy") ?? "";
  const [, nonce = ""] = /script-src 'nonce-([^']+)'/.exec(policy) ?? [];
  assertEquals(html.split(`nonce="${nonce}"`).length, 3);
  for (const rule of ["default-src 'none'", "connect-src 'self'", "form-action 'self'", "frame-ancestors 'none'"]) {
    assertStringIncludes(policy, rule);
  }
  assertEquals(/unsafe|\*|https?:/.test(policy), false, policy);
  assertEquals(/ style="| on\w+="|<style|javascript:/.test(html), false);
  const again = await browser.open("/");
  assert(again.headers.get("content-security-policy") !== policy);
  assertEquals(headers.get("referrer-policy"), "same-origin");
});

Deno.test("the styles and the script are sent once, and asked about from then on", async () => {
  const { browser } = await openPage();
  for (const path of ["/ui/app.css", "/ui/app.js"]) {
    const first = await browser.ask(path);
    const etag = first.headers.get("etag") ?? "";
    assertEquals([first.status, (await first.text()).length > 1_000], [200, true]);
    const second = await browser.ask(path, { headers: { "if-none-match": etag } });
    assertEquals([second.status, await second.text()], [304, ""]);
  }
});

Deno.test("the gateway without keys shows the page at once, to this machine alone", async () => {
  const { gateway } = await openPage({}, { keys: {}, open: "loopback" });
  const request = (init: RequestInit = {}) => {
    const headers = { host: "localhost:8000", accept: "text/html", ...Object.fromEntries(new Headers(init.headers)) };
    return new Request("http://localhost:8000/", { ...init, headers });
  };
  const local = { remoteAddr: { transport: "tcp", hostname: "127.0.0.1" } } as const;
  const page = await (await gateway.fetch(request(), local)).text();
  assertStringIncludes(page, "Kairos");
  assertStringIncludes(page, "without keys");
  const distant = await gateway.fetch(request(), { remoteAddr: { transport: "tcp", hostname: "192.0.2.7" } });
  assertEquals([distant.status, (await distant.text()).includes("Kairos")], [403, false]);
});

Deno.test("the gateway without keys shows the page over a real connection", async () => {
  const { gateway } = await openPage({}, { keys: {}, open: "loopback" });
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, gateway.fetch);
  const response = await fetch(`http://127.0.0.1:${server.addr.port}/`, { headers: { accept: "text/html" } });
  assertStringIncludes(await response.text(), "Kairos");
});

Deno.test("several browsers at one gateway see each what their key opens", async () => {
  const { gateway } = await openPage();
  const [ada, operator] = [new PageBrowser(gateway), new PageBrowser(gateway)];
  await ada.signIn("kairos-key");
  await operator.signIn("admin-key");
  assertEquals((await ada.open("/")).html.includes("Mercurius"), false);
  assertEquals((await operator.open("/")).html.includes("Mercurius"), true);
});
