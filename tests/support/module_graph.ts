import { dirname, join } from "node:path/posix";

/** One source file of this repository and what it names. */
export interface SourceFile {
  /** Its text without comments. */
  readonly code: string;
  /** The files it imports when it is loaded, as paths from the root. */
  readonly imports: readonly string[];
  /** The files it imports later, by `import()`. */
  readonly lazyImports: readonly string[];
  /** The files it takes types from. */
  readonly typeImports: readonly string[];
  /** The packages it imports when it is loaded. */
  readonly packages: readonly string[];
  /** All packages it names in any import. */
  readonly allPackages: readonly string[];
}

const ROOT = new URL("../../", import.meta.url);
const COMMENTS = /\/\*[\s\S]*?\*\/|(?<![:"'`])\/\/[^\n]*/g;
const STATIC = /\b(import|export)\s+(type\s+)?(?:[\w*\s{},]*?\sfrom\s*)?"([^"]+)"/g;
const LAZY = /(typeof\s+)?\bimport\s*\(\s*"([^"]+)"\s*\)/g;

/**
 * Reads a source file of this repository.
 *
 * @param path Its path from the root.
 * @returns What it imports.
 */
export async function readSourceFile(path: string): Promise<SourceFile> {
  const code = (await Deno.readTextFile(new URL(path, ROOT))).replaceAll(COMMENTS, "");
  const found = [
    ...[...code.matchAll(STATIC)].map(([, , type, specifier]) => ({ kind: type ? "type" : "now", specifier })),
    ...[...code.matchAll(LAZY)].map(([, type, specifier]) => ({ kind: type ? "type" : "lazy", specifier })),
  ];
  const pick = (kinds: readonly string[], local: boolean) => {
    const specifiers = found.filter((one) => kinds.includes(one.kind)).map((one) => one.specifier!);
    const picked = specifiers.filter((specifier) => specifier.startsWith(".") === local);
    return [...new Set(local ? picked.map((specifier) => join(dirname(path), specifier)) : picked)];
  };
  return {
    code,
    imports: pick(["now"], true),
    lazyImports: pick(["lazy"], true),
    typeImports: pick(["type"], true),
    packages: pick(["now"], false),
    allPackages: pick(["now", "lazy", "type"], false),
  };
}

/**
 * Reads the files that are loaded when others are imported.
 *
 * @param entries Paths from the root.
 * @returns Every file reached without `import()` and without types, by its path.
 */
export async function readModuleGraph(entries: readonly string[]): Promise<ReadonlyMap<string, SourceFile>> {
  const graph = new Map<string, SourceFile>();
  const queue = [...entries];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (graph.has(path)) continue;
    const file = await readSourceFile(path);
    graph.set(path, file);
    queue.push(...file.imports);
  }
  return graph;
}

/**
 * Lists the source files of the package.
 *
 * @returns Paths from the root, sorted.
 */
export async function listSourceFiles(): Promise<readonly string[]> {
  const paths: string[] = [];
  const walk = async (folder: string) => {
    for await (const entry of Deno.readDir(new URL(folder, ROOT))) {
      if (entry.isDirectory) await walk(`${folder}${entry.name}/`);
      else if (/\.tsx?$/.test(entry.name)) paths.push(`${folder}${entry.name}`);
    }
  };
  await walk("src/");
  await walk("routes/");
  return [...paths, "main.ts", "mod.ts"].sort();
}
