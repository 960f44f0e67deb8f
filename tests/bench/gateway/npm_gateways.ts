/**
 * Gateways from npm, as their authors have people run them: under Node, each by its own command.
 *
 * @module
 */

/** The packages, installed for the measurement alone. */
const PACKAGES = { "mcp-hub": "4.2.1", "mcp-proxy": "6.7.19", "supergateway": "4.0.0" } as const;

/** A package. */
export type NpmGateway = keyof typeof PACKAGES;

/** Where packages are installed. */
export interface NpmFolder extends AsyncDisposable {
  /** The folder. */
  readonly path: string;
  /** The command of a package. */
  command(name: NpmGateway): readonly string[];
}

/** Its name in the tables, with its version. */
export function nameOf(name: NpmGateway): string {
  return `${name} ${PACKAGES[name]}`;
}

/** Installs the packages into a temporary folder; `undefined` where there is no npm, or no registry. */
export async function installGateways(): Promise<NpmFolder | undefined> {
  const path = await Deno.makeTempDir({ prefix: "portolan-bench-" });
  const remove = () => Deno.remove(path, { recursive: true });
  try {
    const packages = Object.entries(PACKAGES).map(([name, version]) => `${name}@${version}`);
    const { success } = await new Deno.Command("npm", {
      args: ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", path, ...packages],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
    if (success) {
      return {
        path,
        command: (name) => ["node", `${path}/node_modules/.bin/${name}`],
        [Symbol.asyncDispose]: remove,
      };
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  await remove();
  return undefined;
}
