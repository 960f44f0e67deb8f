/**
 * What is known of a route of the gateway.
 *
 * @module
 */

import type { ProblemCode } from "../gateway/problem.ts";

/** What a route answers where all is well. */
export interface RouteAnswer {
  /** In words. */
  readonly description: string;
  /** The schema of the body, by name; without one there is no JSON. */
  readonly schema?: string | undefined;
  /** The schema of the events, where the caller may have a stream, in words. */
  readonly events?: string | undefined;
  /** The media type of a body that is text. */
  readonly textType?: string | undefined;
  /** The page, where people are shown one, in words. */
  readonly page?: string | undefined;
  /** The lines of the body, where it is lines of JSON with a link to the next page, in words. */
  readonly lines?: string | undefined;
  /** Whether the call may have been made for an earlier request. */
  readonly mayBeReplayed?: boolean | undefined;
  /** Whether it has an entity tag, and may be 304 for one that is known. */
  readonly hasTag?: boolean | undefined;
}

/** What a route takes. */
export interface RouteBody {
  /** Its schema, by name. */
  readonly schema: string;
  /** In words. */
  readonly description: string;
  /** Whether there has to be one. */
  readonly required: boolean;
  /** Whether it is a text of YAML or JSON, and not JSON of the schema. */
  readonly isText?: boolean | undefined;
}

/** A route. */
export interface GatewayRoute {
  /** The method, in small letters. */
  readonly method: "get" | "post" | "put" | "delete";
  /** The path, as the app has it. */
  readonly path: string;
  /** What programs that are generated from the document call it. */
  readonly id: string;
  /** The group that it belongs to. */
  readonly tag: "gateway" | "agents" | "calls" | "mcp" | "admin" | "documents";
  /** What it does. */
  readonly summary: string;
  /** Whether it is served without a key. */
  readonly isKeyless?: boolean | undefined;
  /** What a caller may say of it: parameters by name. */
  readonly parameters?: readonly string[] | undefined;
  /** The schema of its body, by name. */
  readonly body?: RouteBody | undefined;
  /** What it answers, by status. */
  readonly answers: Readonly<Record<number, RouteAnswer>>;
  /** Whether problems are carried by JSON-RPC. */
  readonly isJsonRpc?: boolean | undefined;
  /** What can go wrong, besides what can go wrong everywhere. */
  readonly problems?: readonly ProblemCode[] | undefined;
}
