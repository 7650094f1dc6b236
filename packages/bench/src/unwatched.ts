/**
 * Core without the calls that tell of a run to those who watch, and core with them, bundled alike: what nobody watching
 * costs is the difference.
 *
 * The calls are those on `this.watch`. Where they stand, `undefined` is put for it, and the bundler drops what nothing
 * comes of. Nor is anybody asked at the start of a run whether he wants to watch.
 */
import { build, type Plugin } from "esbuild"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { fileURLToPath, pathToFileURL } from "node:url"
import type { Library } from "./contenders/ours.ts"

const here = fileURLToPath(new URL("../", import.meta.url))
const core = fileURLToPath(import.meta.resolve("effect-loader"))

/** What asks who watches, at the start of each run. */
const asking = /watch: watchFor\(self, .*\)(?=,?$)/m

/** A run as it is where nobody ever watches. An assignment to the field stays. */
const withoutCalls = (source: string): string =>
  source.replaceAll(/this\.watch\b(?! = )/g, "undefined").replace(asking, "watch: undefined")

const unwatching: Plugin = {
  name: "unwatching",
  setup: (bundling) =>
    bundling.onLoad({ filter: /src\/run\/\w+\.ts$/ }, async ({ path }) => ({
      contents: withoutCalls(await readFile(path, "utf8")),
      loader: "ts"
    }))
}

const bundle = (file: string, plugins: Array<Plugin>) =>
  build({
    entryPoints: [core],
    outfile: file,
    bundle: true,
    format: "esm",
    target: "es2023",
    external: ["effect", "effect/*"],
    minifySyntax: true,
    plugins,
    absWorkingDir: here,
    logLevel: "error"
  })

const callsIn = async (file: string): Promise<number> =>
  (await readFile(file, "utf8")).match(/this\.watch\??\.\w+\(|watchFor\(self/g)?.length ?? 0

export interface Libraries {
  readonly whole: Library
  readonly unwatched: Library
  /** How many calls were removed. */
  readonly removed: number
}

/** Both, checked that the calls are gone from one of them, and are there in the other. */
export const buildLibraries = async (): Promise<Libraries> => {
  const folder = await mkdtemp(`${here}.unwatched-`)
  const [whole, unwatched] = [`${folder}/whole.js`, `${folder}/unwatched.js`]
  try {
    await bundle(whole, [])
    await bundle(unwatched, [unwatching])
    const [before, after] = [await callsIn(whole), await callsIn(unwatched)]
    if (before === 0 || after > 0) throw new Error(`calls to those who watch: ${before}, and ${after} after removing`)
    const load = (file: string): Promise<Library> => import(pathToFileURL(file).href)
    return { whole: await load(whole), unwatched: await load(unwatched), removed: before }
  } finally {
    await rm(folder, { recursive: true })
  }
}
