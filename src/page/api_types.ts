/**
 * What the gateway's own interface answers, as far as the status page shows it.
 *
 * @module
 */

import type { ActivityEntry, CallActivity, EventActivity } from "../gateway/activity.ts";
import type { ToldPin } from "../gateway/pin_words.ts";
import type { AgentStatus, OwnedTool } from "../status.ts";

/** `GET /status`. */
export interface StatusAnswer {
  /** Every agent that the key opens. */
  readonly agents: Readonly<Record<string, AgentStatus>>;
}

/** `GET /agents/:agent/tools`. */
export interface ToolsAnswer {
  /** The tools. */
  readonly tools: readonly OwnedTool[];
}

/** A tool that is pinned. */
export type PinnedTool = ToldPin;

/** `GET /agents/:agent/pins`. */
export interface PinsAnswer {
  /** The tools that changed. */
  readonly tools: readonly PinnedTool[];
}

/** A call that has ended. */
export type CallEntry = CallActivity;

/** Something that happened to a server. */
export type EventEntry = EventActivity;

/** One thing that happened. */
export type ActivityItem = ActivityEntry;

/** `GET /activity`. */
export interface ActivityAnswer {
  /** What happened, newest first. */
  readonly activity: readonly ActivityItem[];
}
