/**
 * Core without the calls that report a run to its observers, and core with them, bundled alike: the difference is the
 * cost of a run that has no observers.
 *
 * The calls are those on `this.watch`. `undefined` is put in their place, and the bundler drops the code that then has
 * no effect. Nor does a run look for observers when it starts.
 */
import type { Plugin } from "esbuild"
import { readFile } from "node:fs/promises"
import type { Library } from "./contenders/ours.ts"
import { bundle, core, inFolder, load } from "./libraries.ts"

/** Where a run looks for observers when it starts. */
const search = /watchFor\(.*\)(?=,?$)/m

/** The source of a run that never has observers. An assignment to the field stays. */
const withoutCalls = (source: string): string =>
  source.replaceAll(/this\.watch\b(?! = )/g, "undefined").replace(search, "undefined")

const unwatching: Plugin = {
  name: "unwatching",
  setup: (bundling) =>
    bundling.onLoad({ filter: /src\/[a-z]+\/\w+\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8")
      return { contents: path.includes("/src/watch/") ? source : withoutCalls(source), loader: "ts" }
    })
}

const callsIn = async (file: string): Promise<number> =>
  (await readFile(file, "utf8")).match(/this\.watch\??\.\w+\(|watchFor\(/g)?.length ?? 0

export interface Libraries {
  readonly whole: Library
  readonly unwatched: Library
  /** The number of calls that were removed. */
  readonly removed: number
}

/** Builds both, and checks that one has the calls and the other has none. */
export const buildLibraries = (): Promise<Libraries> =>
  inFolder(async (folder) => {
    const [whole, unwatched] = [`${folder}/whole.js`, `${folder}/unwatched.js`]
    await bundle(core, whole)
    await bundle(core, unwatched, [unwatching])
    const [before, after] = [await callsIn(whole), await callsIn(unwatched)]
    if (before === 0 || after > 0) throw new Error(`calls of observers: ${before}, and ${after} after removing`)
    return { whole: await load(whole), unwatched: await load(unwatched), removed: before }
  })
