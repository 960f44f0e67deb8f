/**
 * A screen of the status page that follows what happens: named parts, each of which can be drawn anew.
 *
 * @module
 */

import type { JSX } from "hono/jsx/jsx-runtime";
import type { Problem } from "../gateway/problem.ts";
import type { AgentStatus } from "../status.ts";

/** A part of a screen. */
export interface ViewPart {
  /** The id of its element. */
  readonly id: string;
  /** The element. */
  readonly node: JSX.Element;
  /** Whether it stands beside the others where there is room. */
  readonly aside?: boolean | undefined;
}

/** A screen as it is now. */
export interface View {
  /** What it shows. */
  readonly title: string;
  /** Its parts, in order. */
  readonly parts: readonly ViewPart[];
  /** The agents that it shows, whose changes are told. */
  readonly agents: readonly AgentStatus[];
}

/** Draws a screen, or tells why it cannot be drawn. */
export type LoadView = () => Promise<View | Problem>;

/**
 * Whether something cannot be shown.
 *
 * @param shown What is to be shown, or the problem.
 * @returns Whether it is a problem.
 */
export function isProblem<T extends object>(shown: T | Problem): shown is Problem {
  return "code" in shown && "detail" in shown;
}

/**
 * The id of an element that belongs to a name.
 *
 * @param kind What the element is.
 * @param name Any text.
 * @returns An id: without spaces, and another for another name.
 */
export function toId(kind: string, name: string): string {
  return `${kind}-${encodeURIComponent(name.toWellFormed())}`;
}
