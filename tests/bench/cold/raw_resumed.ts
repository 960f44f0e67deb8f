/** A hand-written client that goes on with a session that was kept, or needs none. */

import { callRaw, callRawModern } from "../contenders/raw.ts";
import { textOf } from "../contenders/contender.ts";
import { finish, readJob } from "./job.ts";

const { urls, tool, sessionId } = readJob();
const url = urls.at(-1)!;
const result = sessionId === undefined ? callRawModern(url, tool, "ahoy") : callRaw({ url, sessionId }, tool, "ahoy");
finish(textOf(await result));
