import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

test("the whole SDK has less than 6 kB, minified and gzipped", async () => {
  const entry = new URL("../src/index.ts", import.meta.url).pathname;
  const built = await build({ entryPoints: [entry], bundle: true, minify: true, format: "esm", target: "es2022", write: false });
  const bytes = gzipSync(built.outputFiles[0]!.contents, { level: 9 }).length;
  assert.ok(bytes < 6_000, `${bytes} bytes`);
});
