/** Imports every entry of the packages that are named, and shows runs on a terminal. */
import { Progress, toWaterfall } from "@effect-loader/terminal"
import { Effect } from "effect"
import { Loader, Resource } from "effect-loader"
import * as fs from "node:fs"
import * as path from "node:path"
import * as process from "node:process"

/** Entries of types alone: there is nothing of them at run time. */
const ofTypes = ["effect-loader/Types"]

let count = 0
for (const name of process.argv.slice(2)) {
  const manifest = path.join(import.meta.dirname, "node_modules", name, "package.json")
  const { exports } = JSON.parse(fs.readFileSync(manifest, "utf8"))
  for (const entry of Object.keys(exports).filter((entry) => !entry.endsWith(".json"))) {
    const specifier = name + entry.slice(1)
    const isEmpty = Object.keys(await import(specifier)).length === 0
    if (isEmpty !== ofTypes.includes(specifier))
      throw new Error(`${specifier} exports ${isEmpty ? "nothing" : "values"}`)
    count++
  }
}
const page = Loader.make({ org: Resource.make("org", { load: () => Effect.succeed("acme") }) }, { name: "page" })
const report = await Effect.runPromise(Loader.settle(page).pipe(Effect.provide(Progress.layer())))
if (!toWaterfall(report).includes("org")) throw new Error("no waterfall")
console.log(`${count} entries`)
