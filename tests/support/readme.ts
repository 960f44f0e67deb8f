const README = new URL("../../README.md", import.meta.url);

/**
 * The code blocks of the README in one language.
 *
 * @param language What stands behind the fence.
 * @returns The code of each block, in order.
 */
export async function readReadmeBlocks(language: string): Promise<readonly string[]> {
  const text = await Deno.readTextFile(README);
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))].map(([, code]) => code!);
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
export async function readReadmeCurls(origin: string): Promise<readonly DocumentedCurl[]> {
  const blocks = await readReadmeBlocks("console");
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
    } else if (word.startsWith("-")) throw new Error(`The README uses curl's "${word}", which this test does not know`);
    else url = word;
  }
  if (url === undefined) throw new Error(`The README calls curl without a URL: ${command}`);
  return new Request(url.replace("http://127.0.0.1:8000", origin), { method, headers, body });
}
