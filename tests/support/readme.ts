const ROOT = new URL("../../", import.meta.url);

/** A text for people. */
export interface Document {
  /** Its path from the root. */
  readonly path: string;
  /** What it says. */
  readonly text: string;
}

/**
 * Reads what there is for people: the README, then what is in `docs`, by name.
 *
 * @returns The documents.
 */
export async function readDocuments(): Promise<readonly Document[]> {
  const names = await Array.fromAsync(Deno.readDir(new URL("docs/", ROOT)), ({ name }) => name);
  const paths = ["README.md", ...names.filter((name) => name.endsWith(".md")).sort().map((name) => `docs/${name}`)];
  return await Promise.all(paths.map(async (path) => ({ path, text: await Deno.readTextFile(new URL(path, ROOT)) })));
}

/**
 * The code blocks of all documents in one language.
 *
 * @param language What stands behind the fence.
 * @returns The code of each block, in order.
 */
export async function readBlocks(language: string): Promise<readonly string[]> {
  const fenced = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms");
  return (await readDocuments()).flatMap(({ text }) => [...text.matchAll(fenced)].map(([, code]) => code!));
}

/** One call of curl in a console block, and what the README says that it prints. */
export interface DocumentedCurl {
  /** The line as it is printed. */
  readonly command: string;
  /** The request that it makes. */
  readonly request: Request;
  /** What it prints; `…` stands for anything. */
  readonly prints: string;
}

/**
 * Reads the calls of curl in console blocks, so that they can be made where there is no curl.
 *
 * @param origin Where the gateway is, instead of `http://127.0.0.1:8000`.
 * @returns The calls in order.
 */
export async function readCurls(origin: string): Promise<readonly DocumentedCurl[]> {
  const blocks = await readBlocks("console");
  return blocks.flatMap((block) => block.split(/^\$ /m).filter((part) => part.startsWith("curl "))).map((part) => {
    const [command = "", ...output] = part.trimEnd().split("\n");
    return { command, request: toRequest(command, origin), prints: output.join("\n") };
  });
}

/**
 * Turns a documented text with `…` into a pattern.
 *
 * @param prints The text.
 * @returns A pattern that what was printed must match from the first to the last character.
 */
export function toPattern(prints: string): RegExp {
  const parts = prints.split("…").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("[^]*")}${prints.endsWith("…}") ? "" : "[^]*"}$`);
}

function toRequest(command: string, origin: string): Request {
  const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word!);
  const headers = new Headers();
  let method = "GET";
  let body: string | null = null;
  let url: string | undefined;
  for (let at = 1; at < words.length; at++) {
    const word = words[at]!;
    if (word === "-X") method = words[++at]!;
    else if (word === "--json") {
      body = words[++at]!;
      method = "POST";
      headers.set("content-type", "application/json");
    } else if (word.startsWith("-")) throw new Error(`A document uses curl's "${word}", which this test does not know`);
    else url = word;
  }
  if (url === undefined) throw new Error(`A document calls curl without a URL: ${command}`);
  return new Request(url.replace("http://127.0.0.1:8000", origin), { method, headers, body });
}
