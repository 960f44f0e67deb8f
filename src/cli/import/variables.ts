/**
 * The variables that take the place of secrets, and what looks like a secret.
 *
 * @module
 */

import type { Template } from "../../config/template.ts";

/** A variable that has to be set before the configuration can be used. */
export interface ImportedVariable {
  /** Its name. */
  readonly name: string;
  /** What it is for, in words. */
  readonly purpose: string;
}

/** What a server is read with. */
export interface ImportContext {
  /** The server's name. */
  readonly server: string;
  /** Gives out variables. */
  readonly variables: Variables;
  /** What each input is described as. */
  readonly inputs: ReadonlyMap<string, string>;
}

/** What the names of secrets have in them: choices of a regular expression. */
export const SECRET_WORDS = "auth|token|key|secret|passw|pwd|credential|cookie|session|signature|jwt|bearer";
const SECRET_NAME = new RegExp(`${SECRET_WORDS}|^sig$|^pat$`, "i");
const KNOWN_SECRET =
  /^(?:sk|pk|rk|key|secret|pat|api|token)[-_]|^(?:gh[opsur]_|github_pat_|glpat-|xox[a-z]-|AKIA|AIza|hf_|npm_|lin_api_|ntn_|ptl_|eyJ)|^[a-z]{2,8}_[A-Za-z0-9]{16,}$/i;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const REFERENCE = /\$\{([^}]*)\}/g;
const MAX_NAME_LENGTH = 100;

/**
 * Whether what has this name is a secret.
 *
 * @param name The name of a header, a parameter, an option.
 * @returns Whether it sounds like one.
 */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/**
 * Whether a word looks like a secret, whatever its name.
 *
 * @param word A word.
 * @returns Whether it begins as keys do, or has letters and digits as only a machine mixes them.
 */
export function looksSecret(word: string): boolean {
  if (KNOWN_SECRET.test(word) && word.length >= 8) return true;
  if (UUID.test(word) || /^[0-9a-f]{24,}$/i.test(word)) return true;
  return word.split(/[-_.~]/).some((part) => {
    return /^[A-Za-z0-9+/=]{14,}$/.test(part) && /\d/.test(part) && /[A-Za-z]/.test(part);
  });
}

/** Gives out the variables of one import. */
export class Variables {
  readonly #purposes = new Map<string, string>();
  /** So that one secret is one variable. */
  readonly #nameOf = new Map<string, string>();
  readonly #referred: ReadonlySet<string>;

  /**
   * Makes none yet.
   *
   * @param referred The variables that the files refer to: they hold other secrets than those that are met.
   */
  constructor(referred: ReadonlySet<string> = new Set()) {
    this.#referred = referred;
  }

  /** All variables, in the order in which they were met. */
  get all(): readonly ImportedVariable[] {
    return [...this.#purposes].map(([name, purpose]) => ({ name, purpose }));
  }

  /**
   * The variable for a secret that stood in the file.
   *
   * @param secret The secret, which is kept as long as the import lasts.
   * @param server The server that it stands at.
   * @param what What it is, in a word or two; its name is made of both.
   * @param purpose What it is for, in words.
   * @returns Its name.
   */
  nameFor(secret: string, server: string, what: string, purpose: string): string {
    const known = this.#nameOf.get(secret);
    if (known !== undefined) return known;
    const base = toEnvName(what.toLowerCase().includes(server.toLowerCase()) ? what : `${server} ${what}`);
    let name = base;
    for (let count = 2; this.#purposes.has(name) || this.#referred.has(name); count++) name = `${base}_${count}`;
    this.#nameOf.set(secret, name);
    this.#purposes.set(name, purpose);
    return name;
  }

  /**
   * Notes a variable that the file refers to.
   *
   * @param name Its name.
   * @param purpose What it is for, in words.
   */
  note(name: string, purpose: string): void {
    if (!this.#purposes.has(name)) this.#purposes.set(name, purpose);
  }

  /**
   * Reads a text with the references of other programs: `${NAME}`, `${NAME:-default}`, `${env:NAME}`, `${input:id}`.
   *
   * @param text The text.
   * @param purpose What it is for, in words.
   * @param inputs What each input is described as.
   * @returns Its parts; or what of it an editor alone knows, such as `workspaceFolder`.
   */
  parse(text: string, purpose: string, inputs: ReadonlyMap<string, string>): Template | { readonly unknown: string } {
    const parts: (Template[number])[] = [];
    let from = 0;
    for (const match of text.matchAll(REFERENCE)) {
      if (match.index > from) parts.push(text.slice(from, match.index));
      from = match.index + match[0].length;
      const [, kind, body = ""] = /^(?:([a-zA-Z]+):(?!-))?(.*)$/s.exec(match[1] ?? "") ?? [];
      const [, name = "", fallback] = /^([^:]*)(?::-(.*))?$/s.exec(body) ?? [];
      const isInput = kind === "input";
      const isKnown = isInput ||
        ((kind === undefined || kind === "env") && ENV_NAME.test(name) && !EDITOR_NAMES.has(name));
      if (!isKnown) return { unknown: /^[A-Za-z]+$/.test(kind ?? name) ? kind ?? name : "something" };
      const variable = isInput ? toEnvName(name) : name;
      this.note(variable, isInput && inputs.get(name) ? inputs.get(name) ?? purpose : purpose);
      // A default may be a secret that looks like none: an address without a user and a query is kept, nothing else.
      const isSafe = fallback !== undefined && /^https?:\/\/[^@?#$]*$/i.test(fallback) &&
        !fallback.split("/").some(looksSecret);
      parts.push({ from: "env", name: variable, fallback: isSafe ? fallback : undefined });
    }
    if (from < text.length) parts.push(text.slice(from));
    return parts;
  }
}

/** What VS Code and Cursor put in, and no environment has. */
const EDITOR_NAMES = new Set([
  ...["workspaceFolder", "workspaceFolderBasename", "workspaceRoot", "userHome", "cwd", "pathSeparator", "file"],
  ...["fileBasename", "fileDirname", "relativeFile", "execPath", "lineNumber", "selectedText"],
]);

/**
 * A reference to a variable, as the configuration writes it.
 *
 * @param name The name of the variable.
 * @returns The part of a template.
 */
export function toReference(name: string): Template[number] {
  return { from: "env", name, fallback: undefined };
}

/**
 * Makes the name of a variable.
 *
 * @param words What it is made of.
 * @returns Capital letters, digits and `_`, beginning with a letter.
 */
export function toEnvName(words: string): string {
  const name = words.replace(/[^A-Za-z0-9]+/g, "_").replace(/^_+|_+$/g, "").toUpperCase().slice(0, MAX_NAME_LENGTH);
  return /^[A-Z]/.test(name) ? name : `MCP_${name}`.replace(/_$/, "");
}
