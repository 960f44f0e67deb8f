/**
 * One short-lived process: finishes an authorization over a route store in a file, and ends.
 *
 * Arguments: the file, and the URL that the browser was sent back to.
 */

import { KvRouteStore } from "../../src/kv_route_store.ts";
import { finishAuthorization } from "../../src/auth/finish_authorization.ts";
import { toAuthStore } from "../support/auth_support.ts";

const [file = "", callbackUrl = ""] = Deno.args;
using kv = await Deno.openKv(file);
console.log(
  JSON.stringify(await finishAuthorization(callbackUrl, { store: toAuthStore(new KvRouteStore(kv)), fetch })),
);
