/** SDK 2.x: connects to all servers of either era, then calls. */

import { createSdk2 } from "../contenders/sdk2.ts";
import { finish, readJob } from "./job.ts";

const { urls, tool } = readJob();
const connected = await createSdk2("SDK 2.4", "auto").connect(urls);
finish(await connected.call(urls.length - 1, tool, "ahoy"));
