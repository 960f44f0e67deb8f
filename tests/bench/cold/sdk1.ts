/** SDK 1.x: connects to all servers, then calls. */

import { sdk1 } from "../contenders/sdk1.ts";
import { finish, readJob } from "./job.ts";

const { urls, tool } = readJob();
const connected = await sdk1.connect(urls);
finish(await connected.call(urls.length - 1, tool, "ahoy"));
