/**
 * The sizes of programs, alone: `node packages/bench/src/sizes.ts`.
 *
 * `--modules`: what each module of core takes of them.
 */
import { bundleTable, measureBundles, modulesTable } from "./bundle.ts"

const found = await measureBundles()
const tables = [bundleTable(found)]
if (process.argv.includes("--modules")) {
  tables.push(...found.filter(({ modules }) => modules.length > 0).map(modulesTable))
}
process.stdout.write(`${tables.join("\n\n")}\n`)
