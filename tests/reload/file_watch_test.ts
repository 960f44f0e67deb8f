import { assertEquals } from "@std/assert";
import { type FolderEvents, watchFile } from "../../src/reload/file_watch.ts";
import { until } from "../support/client_support.ts";

/** A folder with a file that is watched, and how often it was told to have changed. */
async function watchFolder(link?: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/portolan.yaml`;
  await (link?.(folder) ?? Deno.writeTextFile(path, "one"));
  const seen: string[] = [];
  const failures: unknown[] = [];
  const end = await watchFile(path, {
    watch: Deno.watchFs,
    realPath: Deno.realPath,
    quietMs: 20,
    onChange: () => seen.push(Deno.readTextFileSync(path)),
    onFailure: (error) => failures.push(error),
  });
  return {
    folder,
    path,
    seen,
    failures,
    end,
    async [Symbol.asyncDispose]() {
      end();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

Deno.test("watchFile() tells of a file that is written, of one that takes its name, and of no other", async () => {
  await using watched = await watchFolder();
  const { folder, path, seen } = watched;
  await Deno.writeTextFile(`${folder}/other.yaml`, "other");
  await Deno.writeTextFile(path, "two");
  await until(() => seen.at(-1) === "two");
  await Deno.writeTextFile(`${folder}/.portolan.yaml.swp`, "three");
  await Deno.rename(`${folder}/.portolan.yaml.swp`, path);
  await until(() => seen.at(-1) === "three");
  await Deno.remove(path);
  await Deno.writeTextFile(path, "four");
  await until(() => seen.at(-1) === "four");
  assertEquals([new Set(seen), watched.failures], [new Set(["two", "three", "four"]), []]);
});

Deno.test("watchFile() follows a link whose folder is exchanged, as in a mounted volume", async () => {
  await using watched = await watchFolder(async (folder) => {
    await Deno.mkdir(`${folder}/..1`);
    await Deno.writeTextFile(`${folder}/..1/portolan.yaml`, "one");
    await Deno.symlink("..1", `${folder}/..data`);
    await Deno.symlink("..data/portolan.yaml", `${folder}/portolan.yaml`);
  });
  const { folder, seen } = watched;
  await Deno.mkdir(`${folder}/..2`);
  await Deno.writeTextFile(`${folder}/..2/portolan.yaml`, "two");
  await Deno.symlink("..2", `${folder}/..data_tmp`);
  await Deno.rename(`${folder}/..data_tmp`, `${folder}/..data`);
  await until(() => seen.at(-1) === "two");
});

Deno.test("watchFile() waits until a file is left alone, but not for ever", async () => {
  const events = Promise.withResolvers<void>();
  let writes = 0;
  const folder: FolderEvents = {
    close: () => events.resolve(),
    async *[Symbol.asyncIterator]() {
      while (told === 0) {
        writes++;
        yield { paths: ["/x/portolan.yaml"] };
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      await events.promise;
    },
  };
  let told = 0;
  const end = await watchFile("/x/portolan.yaml", {
    watch: () => folder,
    realPath: (path) => Promise.resolve(path),
    quietMs: 1_000,
    maxWaitMs: 50,
    onChange: () => told++,
    onFailure: () => {},
  });
  await until(() => told === 1);
  assertEquals(writes > 1, true);
  end();
});

Deno.test("watchFile() says so where a folder cannot be watched", async () => {
  const failures: unknown[] = [];
  const end = await watchFile("/no/such/folder/portolan.yaml", {
    watch: Deno.watchFs,
    realPath: Deno.realPath,
    onChange: () => {},
    onFailure: (error) => failures.push(error),
  });
  assertEquals(failures.length, 1);
  end();
});
