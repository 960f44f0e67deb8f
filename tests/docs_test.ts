import { assert, assertEquals } from "@std/assert";
import config from "../deno.json" with { type: "json" };

/** What is read here of what `deno doc --json` says: of each file, or in Deno 2.5 of each declaration. */
interface DocJson {
  readonly nodes: Readonly<Record<string, { readonly symbols: readonly DocSymbol[] }>> | readonly FlatDeclaration[];
}

interface FlatDeclaration extends Declaration {
  readonly name: string;
  readonly kind: string;
}

interface DocSymbol {
  readonly name: string;
  readonly declarations: readonly Declaration[];
}

interface Declaration {
  readonly declarationKind: string;
  readonly location: { readonly filename: string };
  /** Where it is declared, for what another entry point exports too. */
  readonly def?: { readonly target?: { readonly filename: string } };
  readonly jsDoc?: { readonly tags?: readonly { readonly kind: string; readonly doc?: string }[] };
}

const ROOT = new URL("../", import.meta.url);

/** The symbols of an entry point. */
async function readSymbols(entry: string): Promise<readonly DocSymbol[]> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", entry],
    cwd: ROOT,
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  const { nodes }: DocJson = JSON.parse(new TextDecoder().decode(stdout));
  return Array.isArray(nodes) ? toSymbols(nodes) : Object.values(nodes).flatMap(({ symbols }) => symbols);
}

function toSymbols(declarations: readonly FlatDeclaration[]): readonly DocSymbol[] {
  const named = declarations.filter(({ kind }) => kind !== "moduleDoc");
  return [...Map.groupBy(named, ({ name }) => name)].map(([name, declarations]) => ({ name, declarations }));
}

/** The TypeScript of all examples. */
function codeOf({ jsDoc }: Declaration): string {
  const examples = jsDoc?.tags?.filter(({ kind }) => kind === "example") ?? [];
  return examples.flatMap(({ doc = "" }) => [...doc.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code)).join("");
}

Deno.test("Every exported symbol has an example in TypeScript that names it", async () => {
  const entries = await Promise.all(Object.values(config.exports).map(readSymbols));
  const exported = new Set<string>();
  const explained = new Set<string>();
  for (const symbols of entries) {
    assert(
      symbols.some(({ declarations }) => declarations.some(({ declarationKind }) => declarationKind === "export")),
    );
    for (const { name, declarations } of symbols) {
      for (const declaration of declarations.filter(({ declarationKind }) => declarationKind === "export")) {
        const { filename } = declaration.def?.target ?? declaration.location;
        const symbol = `${name} of ${filename.replace(ROOT.href, "")}`;
        exported.add(symbol);
        if (new RegExp(`\\b${name}\\b`).test(codeOf(declaration))) explained.add(symbol);
      }
    }
  }
  assertEquals([...exported.difference(explained)].sort(), []);
});
