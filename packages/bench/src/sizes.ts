/**
 * The sizes of programs, alone: `node packages/bench/src/sizes.ts`.
 *
 * `--modules`: what each module of core takes of them.
 * `--record`: writes `results/sizes.json`, above which `test/size.test.ts` fails.
 */
import { type BundleSize, type Bundler, bundleTable, measureBundles, modulesTable } from "./bundle.ts"
import { declaresAndLoads } from "./programs.ts"
import { writeRecord } from "./record.ts"

/** Bytes of gzip: all that a program downloads, and its part beyond effect. */
export interface RecordedSize {
  readonly bundler: Bundler
  readonly what: string
  readonly all: number
  readonly beyond: number
}

export interface SizeRecord {
  readonly sizes: ReadonlyArray<RecordedSize>
  /** The modules of core that a program may contain which declares and loads, bundled by rolldown. */
  readonly modules: ReadonlyArray<string>
}

export const toRecord = (found: ReadonlyArray<BundleSize>): SizeRecord => ({
  sizes: found
    .filter(({ modules }) => modules.length > 0)
    .map(({ bundler, effectGzip, gzip, what }) => ({ bundler, what, all: gzip, beyond: gzip - effectGzip })),
  modules: found
    .filter(({ bundler, what }) => bundler === "rolldown" && what === declaresAndLoads.name)
    .flatMap(({ modules }) => modules.map(({ file }) => file))
    .toSorted()
})

if (import.meta.main) {
  const found = await measureBundles()
  const tables = [bundleTable(found)]
  if (process.argv.includes("--modules")) {
    tables.push(...found.filter(({ modules }) => modules.length > 0).map(modulesTable))
  }
  process.stdout.write(`${tables.join("\n\n")}\n`)
  if (process.argv.includes("--record")) await writeRecord("sizes", toRecord(found))
}
