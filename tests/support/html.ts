import { type DefaultTreeAdapterMap, parse } from "parse5";

/** An element of a page. */
export type HtmlElement = DefaultTreeAdapterMap["element"];
type HtmlNode = DefaultTreeAdapterMap["node"];

/**
 * Parses a page as browsers do.
 *
 * @param html The page, or a part of one.
 * @returns Its elements, in order.
 */
export function parseElements(html: string): readonly HtmlElement[] {
  const elements: HtmlElement[] = [];
  const walk = (node: HtmlNode) => {
    if ("tagName" in node) elements.push(node);
    if ("childNodes" in node) { for (const child of node.childNodes) walk(child); }
  };
  walk(parse(html));
  return elements;
}

/** An attribute of an element. */
export function attributeOf(element: HtmlElement, name: string): string | undefined {
  return element.attrs.find((attribute) => attribute.name === name)?.value;
}

/** The text in an element. */
export function textOf(element: HtmlNode): string {
  if ("value" in element) return element.value;
  return "childNodes" in element ? element.childNodes.map(textOf).join("") : "";
}

/**
 * What a browser sends of a form that nobody has changed, as `application/x-www-form-urlencoded`.
 *
 * @param elements The elements of the form.
 * @param changes What a person writes instead: texts by the names of controls; `null` for what is taken out.
 * @returns The texts by name.
 */
export function submit(
  elements: readonly HtmlElement[],
  changes: Readonly<Record<string, string | null>> = {},
): URLSearchParams {
  const form = new URLSearchParams();
  for (const element of elements) {
    const name = attributeOf(element, "name");
    if (name === undefined || Object.hasOwn(changes, name)) continue;
    // Line breaks are sent as CRLF, whatever they were.
    for (const text of textsOf(element)) form.append(name, text.replaceAll(/\r\n?|\n/g, "\r\n"));
  }
  for (const [name, text] of Object.entries(changes)) {
    if (text !== null) form.append(name, text.replaceAll("\n", "\r\n"));
  }
  return new URLSearchParams(form.toString());
}

function textsOf(element: HtmlElement): readonly string[] {
  const value = attributeOf(element, "value");
  if (element.tagName === "textarea") return [textOf(element)];
  if (element.tagName === "select") {
    const options = parseOptions(element);
    const chosen = options.filter((option) => attributeOf(option, "selected") !== undefined).at(-1) ?? options[0];
    return chosen === undefined ? [] : [attributeOf(chosen, "value") ?? textOf(chosen)];
  }
  if (element.tagName !== "input") return [];
  const type = attributeOf(element, "type") ?? "text";
  if (type === "checkbox" || type === "radio") {
    return attributeOf(element, "checked") === undefined ? [] : [value ?? "on"];
  }
  if (type === "date" && !/^\d{4}-\d\d-\d\d$/.test(value ?? "")) return [""];
  // Browsers write a time without seconds where they are none.
  if (type === "datetime-local") return [(value ?? "").replace(/(T\d\d:\d\d):00$/, "$1")];
  return [(value ?? "").replaceAll(/[\r\n]/g, "")];
}

function parseOptions(element: HtmlElement): readonly HtmlElement[] {
  return element.childNodes.filter((node): node is HtmlElement => "tagName" in node && node.tagName === "option");
}
