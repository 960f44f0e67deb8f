/**
 * Tools that are no longer what they were: what changed, and what to do about it.
 *
 * @module
 */

import type { JSX } from "hono/jsx/jsx-runtime";
import { toSegment } from "./api.ts";
import type { PinnedTool } from "./api_types.ts";
import { diffLines } from "./line_diff.ts";
import { toId } from "./view.ts";
import { Moment, toJsonText } from "./page_parts.tsx";

/** The longest text that is compared, in characters. */
const MAX_CHARS = 20_000;

/** What is shown of the changes. */
export interface PinListProps {
  /** Whose tools they are. */
  readonly agent: string;
  /** The tools that changed. */
  readonly pins: readonly PinnedTool[];
  /** Whether who looks may decide. */
  readonly isAdmin: boolean;
}

/**
 * The tools that changed.
 *
 * @param props What is shown.
 * @returns Each with its difference.
 */
export function PinList({ agent, pins, isAdmin }: PinListProps): JSX.Element {
  return (
    <>
      {pins.map((pin) => (
        <article
          key={`${pin.server} ${pin.tool}`}
          id={toId("pin", [pin.server, pin.tool, pin.digest].join(" "))}
          class="pin"
          aria-label={`${pin.tool} of ${pin.server}`}
        >
          <header class="pin-head">
            <h3>
              <code>{pin.tool}</code> <span class="quiet">of {pin.server}</span>
            </h3>
            <p class="facts">
              {pin.state === "withheld" ? "Withheld by decision" : "Changed"}:{" "}
              {pin.callable ? "it can still be called" : "it is not listed, and calls to it are refused"}
              {pin.pinnedAt !== undefined && (
                <>
                  , pinned <Moment atMs={Date.parse(pin.pinnedAt)} />
                </>
              )}
            </p>
          </header>
          <Difference pin={pin} />
          {isAdmin && (
            <form class="row" method="post" action={`/ui/agents/${toSegment(agent)}/pins`} data-quiet="Deciding">
              <input type="hidden" name="server" value={pin.server} />
              <input type="hidden" name="tool" value={pin.tool} />
              {pin.digest !== undefined && <input type="hidden" name="digest" value={pin.digest} />}
              <button type="submit" name="decision" value="accept" class="main-button">Accept the change</button>
              {pin.state !== "withheld" && (
                <button type="submit" name="decision" value="withhold">Withhold the tool</button>
              )}
            </form>
          )}
        </article>
      ))}
    </>
  );
}

function Difference({ pin: { before, now, note, state } }: { readonly pin: PinnedTool }): JSX.Element {
  const [oldSchema, newSchema] = [toText(before?.inputSchema), toText(now?.inputSchema)];
  const isSame = before?.description === now?.description && oldSchema === newSchema;
  return (
    <>
      {note !== undefined && <p class="quiet">{note}.</p>}
      {note === undefined && isSame && (
        <p class="quiet">
          {state === "withheld" ? "It is what it was pinned as." : "Neither its description nor its arguments differ."}
        </p>
      )}
      {!isSame && (
        <dl class="diffs">
          <Comparison name="Description" before={before?.description ?? ""} now={now?.description ?? ""} />
          <Comparison name="Arguments" before={oldSchema} now={newSchema} />
        </dl>
      )}
    </>
  );
}

function Comparison({ name, before, now }: { name: string; before: string; now: string }): JSX.Element | null {
  if (before === now) return null;
  return (
    <>
      <dt>{name}</dt>
      <dd>
        <pre class="diff" tabindex={0} aria-label={`What changed in ${name.toLowerCase()}`}>
          {diffLines(before.slice(0, MAX_CHARS), now.slice(0, MAX_CHARS)).map(({ kind, text }, key) => {
            if (kind === "added") return <ins key={key} class="line">{`+ ${text}\n`}</ins>;
            if (kind === "removed") return <del key={key} class="line">{`- ${text}\n`}</del>;
            return kind === "same"
              ? <span key={key} class="line">{`  ${text}\n`}</span>
              : <span key={key} class="line quiet">{`… ${text}\n`}</span>;
          })}
        </pre>
      </dd>
    </>
  );
}

function toText(schema: unknown): string {
  return schema === undefined ? "" : toJsonText(schema);
}
