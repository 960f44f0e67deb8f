import type { Fault } from "../../src/errors.ts";
import { SchemaForm } from "../../src/page/schema_form.tsx";
import { readSchemaForm } from "../../src/page/read_schema_form.ts";
import type { JsonObject, JsonValue } from "../../src/protocol.ts";
import { attributeOf, type HtmlElement, parseElements, submit, textOf } from "../support/html.ts";

/** The prefix of the forms of these tests. */
export const PREFIX = "args";

/** A form as a browser has it. */
export interface DrawnForm {
  /** Its HTML. */
  readonly html: string;
  /** Its elements. */
  readonly elements: readonly HtmlElement[];
  /** Sends it, with changes by the names of controls without the prefix. */
  send(changes?: Readonly<Record<string, string | null>>): ReturnType<typeof readSchemaForm>;
  /** The control of a name without the prefix. */
  control(name: string): HtmlElement | undefined;
  /** The texts of all elements of a class. */
  texts(className: string): readonly string[];
}

/** Draws a form. */
export async function drawForm(
  schema: JsonObject,
  options: { value?: JsonValue | undefined; faults?: readonly Fault[]; sent?: URLSearchParams } = {},
): Promise<DrawnForm> {
  const html = String(await SchemaForm({ schema, prefix: PREFIX, ...options }));
  const elements = parseElements(html);
  return {
    html,
    elements,
    send(changes = {}) {
      const named = Object.entries(changes).map(([name, text]) => [PREFIX + name, text]);
      return readSchemaForm(submit(elements, Object.fromEntries(named)), schema, PREFIX);
    },
    control: (name) => elements.find((element) => attributeOf(element, "name") === PREFIX + name),
    texts: (className) =>
      elements.filter((element) => attributeOf(element, "class")?.split(" ").includes(className)).map(textOf),
  };
}

/** What is wrong with a form for people who do not see it: ids twice, labels and descriptions that lead nowhere. */
export function findUnbound({ elements }: DrawnForm): readonly string[] {
  const found: string[] = [];
  const ids = elements.flatMap((element) => attributeOf(element, "id") ?? []);
  const known = new Set(ids);
  if (known.size < ids.length) found.push("an id stands twice");
  const labelled = new Set(
    elements.flatMap((element) => element.tagName === "label" ? attributeOf(element, "for") ?? [] : []),
  );
  for (const target of labelled) if (!known.has(target)) found.push(`label for ${target}`);
  for (const element of elements) {
    for (const id of (attributeOf(element, "aria-describedby") ?? "").split(" ")) {
      if (id !== "" && !known.has(id)) found.push(`described by ${id}`);
    }
    if (!["input", "select", "textarea"].includes(element.tagName)) continue;
    const parent = element.parentNode;
    const isWithin = parent !== null && "tagName" in parent && parent.tagName === "label";
    const isNamed = isWithin || labelled.has(attributeOf(element, "id") ?? "") ||
      attributeOf(element, "aria-label") !== undefined;
    if (!isNamed) found.push(`no label: ${attributeOf(element, "name")}`);
  }
  return found;
}
