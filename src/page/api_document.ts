/**
 * An OpenAPI document as a page shows it: the gateway's own or that of an agent. What is in it may come from servers.
 *
 * @module
 */

import { isJsonObject, type JsonObject, type JsonValue } from "../protocol.ts";
import { toPlainLine, toPlainText } from "./plain_text.ts";

const METHODS = ["get", "post", "put", "patch", "delete"] as const;
const MAX_LINE_CHARS = 200;
const MAX_ABOUT_CHARS = 160;
const MAX_TEXT_CHARS = 2_048;
const MAX_BUNDLED = 100;
const EVENTS = "text/event-stream";
const COMPONENTS = "#/components/";
const CODE = /`([a-z_]+)`/g;
/** Methods after which nothing is as it was before, and where only administrators come. */
const ADMIN_PATH = "/admin/";

/** A parameter of an operation. */
export interface ApiParameter {
  /** Its name. */
  readonly name: string;
  /** Where it goes. */
  readonly place: "path" | "query" | "header";
  /** Whether it has to be given. */
  readonly isRequired: boolean;
  /** What it says, in words. */
  readonly description: string;
  /** Its schema. */
  readonly schema: JsonObject;
}

/** What an operation answers with a status. */
export interface ApiResponse {
  /** The status. */
  readonly status: string;
  /** In words; without one where the codes say it. */
  readonly description: string;
  /** The codes of the problems that it stands for. */
  readonly codes: readonly string[];
  /** The media types of the body. */
  readonly types: readonly string[];
  /** The schema of the body, where it is JSON. */
  readonly schema: JsonObject | undefined;
}

/** An operation in a list. */
export interface ApiEntry {
  /** Its name in the document. */
  readonly id: string;
  /** The method, in capitals. */
  readonly method: string;
  /** The path, with its parameters in braces. */
  readonly path: string;
  /** The tool that it calls, by the name that it is listed by; `undefined` in the gateway's own document. */
  readonly tool: string | undefined;
  /** What it does, in a line. */
  readonly summary: string;
  /** The group that it belongs to. */
  readonly tag: string;
}

/** An operation with all that is known of it. */
export interface ApiOperation extends ApiEntry {
  /** What it does, at length. */
  readonly description: string;
  /** Its parameters. */
  readonly parameters: readonly ApiParameter[];
  /** Its body, where it takes one. */
  readonly body:
    | { readonly schema: JsonObject; readonly description: string; readonly isRequired: boolean }
    | undefined;
  /** What it answers, by status. */
  readonly responses: readonly ApiResponse[];
  /** Whether it is served without a key. */
  readonly isKeyless: boolean;
  /** Whether a person is asked again before it is sent. */
  readonly isDangerous: boolean;
  /** Whether an answer may be a stream of events. */
  readonly canStream: boolean;
}

/** A group of operations. */
export interface ApiGroup {
  /** Its name. */
  readonly name: string;
  /** What it is about. */
  readonly description: string;
  /** Its operations. */
  readonly operations: readonly ApiEntry[];
}

/** An OpenAPI document. */
export class ApiDocument {
  /** What it describes. */
  readonly title: string;
  /** Its version. */
  readonly version: string;
  /** What it says of itself. */
  readonly description: string;
  /** All operations, in order. */
  readonly operations: readonly ApiEntry[];
  readonly #root: JsonObject;
  readonly #given = new Map<ApiEntry, JsonObject>();

  /**
   * Reads a document. Its operations are only listed: those that are shown are opened one by one.
   *
   * @param root The document.
   */
  constructor(root: JsonObject) {
    this.#root = root;
    const info = toObject(root.info);
    this.title = toPlainLine(info.title, MAX_LINE_CHARS);
    this.version = toPlainLine(info.version, MAX_LINE_CHARS);
    this.description = toPlainText(info.description, MAX_TEXT_CHARS);
    this.operations = Object.entries(toObject(root.paths)).flatMap(([path, item]) =>
      METHODS.flatMap((method) => {
        const given = toObject(item)[method];
        if (!isJsonObject(given)) return [];
        const entry = toEntry(method, path, given);
        this.#given.set(entry, given);
        return [entry];
      })
    );
  }

  /**
   * Finds an operation.
   *
   * @param id Its name in the document.
   * @returns The operation, or `undefined` where there is none of this name.
   */
  find(id: string): ApiEntry | undefined {
    return this.operations.find((operation) => operation.id === id);
  }

  /**
   * Groups operations.
   *
   * @param operations Operations of this document.
   * @returns The groups that have one of them, in the order of the document.
   */
  group(operations: readonly ApiEntry[]): readonly ApiGroup[] {
    const described = toObjects(this.#root.tags).map((tag) => [String(tag.name), tag.description] as const);
    const byTag = Map.groupBy(operations, ({ tag }) => tag);
    const names = [...described.map(([name]) => name), ...byTag.keys()];
    return [...new Set(names)].flatMap((name) => {
      const operations = byTag.get(name);
      const description = toPlainLine(described.find(([known]) => known === name)?.[1], MAX_LINE_CHARS);
      return operations === undefined ? [] : [{ name, description, operations }];
    });
  }

  /**
   * Reads all that is known of an operation.
   *
   * @param entry The operation as this document lists it.
   * @returns The operation.
   */
  open(entry: ApiEntry): ApiOperation {
    const given = toObject(this.#given.get(entry));
    const method = entry.method.toLowerCase();
    const responses = Object.entries(toObject(given.responses)).map(([status, response]) =>
      this.#toResponse(status, this.#resolve(response))
    );
    const hints = toObject(given["x-mcp-annotations"]);
    return {
      ...entry,
      description: unescapeText(toPlainText(given.description, MAX_TEXT_CHARS)),
      parameters: toValues(given.parameters).flatMap((parameter) => this.#toParameter(this.#resolve(parameter))),
      body: this.#toBody(toObject(given.requestBody)),
      responses,
      isKeyless: Array.isArray(given.security) && given.security.length === 0,
      isDangerous: method === "delete" || (method !== "get" && entry.path.startsWith(ADMIN_PATH)) ||
        hints.destructiveHint === true,
      canStream: responses.some(({ status, types }) => status.startsWith("2") && types.includes(EVENTS)),
    };
  }

  /** A schema with all that it refers to, so that it stands alone. */
  #bundle(schema: JsonObject): JsonObject {
    const found = new Map<string, JsonValue>();
    const open: JsonValue[] = [schema];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (Array.isArray(next)) open.push(...next);
      if (!isJsonObject(next)) continue;
      const name = toComponentName(next.$ref);
      if (name !== undefined && !found.has(name) && found.size < MAX_BUNDLED) {
        const component = this.#component("schemas", name);
        found.set(name, component ?? {});
        if (component !== undefined) open.push(component);
      }
      open.push(...Object.values(next));
    }
    return found.size === 0 ? schema : { ...schema, components: { schemas: Object.fromEntries(found) } };
  }

  #component(kind: string, name: string): JsonValue | undefined {
    const components = toObject(toObject(this.#root.components)[kind]);
    return Object.hasOwn(components, name) ? components[name] : undefined;
  }

  /** The part itself, or the one that it refers to. */
  #resolve(part: JsonValue | undefined): JsonObject {
    const { $ref } = toObject(part);
    if (typeof $ref !== "string") return toObject(part);
    const [kind = "", name = ""] = $ref.slice(COMPONENTS.length).split("/");
    return toObject(this.#component(kind, name));
  }

  #toParameter(parameter: JsonObject): readonly ApiParameter[] {
    const { name, in: place, required, description, schema } = parameter;
    if (typeof name !== "string" || (place !== "path" && place !== "query" && place !== "header")) return [];
    return [{
      name,
      place,
      isRequired: required === true,
      description: toPlainText(description, MAX_TEXT_CHARS),
      schema: toObject(schema),
    }];
  }

  #toBody(body: JsonObject): ApiOperation["body"] {
    const media = toObject(body.content)["application/json"];
    if (media === undefined) return undefined;
    return {
      schema: this.#bundle(toObject(toObject(media).schema)),
      description: toPlainText(body.description, MAX_TEXT_CHARS),
      isRequired: body.required === true,
    };
  }

  #toResponse(status: string, response: JsonObject): ApiResponse {
    const text = toPlainText(response.description, 4 * MAX_TEXT_CHARS);
    const codes = status.startsWith("2") ? [] : [...text.matchAll(CODE)].map(([, code = ""]) => code);
    const content = toObject(response.content);
    const media = content["application/json"];
    return {
      status,
      description: codes.length > 0 ? "" : text,
      codes: [...new Set(codes)],
      types: Object.keys(content),
      schema: media === undefined ? undefined : this.#bundle(toObject(toObject(media).schema)),
    };
  }
}

/**
 * The name of the component that a reference leads to.
 *
 * @param reference The value of `$ref`.
 * @returns The name, or `undefined` where it leads elsewhere.
 */
export function toComponentName(reference: JsonValue | undefined): string | undefined {
  const start = `${COMPONENTS}schemas/`;
  return typeof reference === "string" && reference.startsWith(start) ? reference.slice(start.length) : undefined;
}

function toEntry(method: string, path: string, given: JsonObject): ApiEntry {
  const { operationId, summary, description, tags } = given;
  const tool = typeof given["x-mcp-tool"] === "string" ? decode(path.slice(path.lastIndexOf("/") + 1)) : undefined;
  // A tool without a title has its name for one: what it does tells more.
  const about = toPlainLine(summary === tool ? description : summary, MAX_ABOUT_CHARS);
  return {
    id: toPlainLine(operationId, MAX_LINE_CHARS),
    method: method.toUpperCase(),
    path,
    tool,
    summary: unescapeText(about),
    tag: Array.isArray(tags) ? String(tags[0] ?? "") : "",
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const ENTITIES: Readonly<Record<string, string>> = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };

/** The document has texts of servers in CommonMark, escaped; here they are shown as they are. */
function unescapeText(text: string): string {
  return text.replaceAll(/&(?:lt|gt|amp);/g, (entity) => ENTITIES[entity] ?? entity).replaceAll(/\\([[\]])/g, "$1");
}

function toObject(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function toValues(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}

function toObjects(value: JsonValue | undefined): readonly JsonObject[] {
  return toValues(value).filter(isJsonObject);
}
