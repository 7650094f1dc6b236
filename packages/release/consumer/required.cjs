/** Requires every entry of the packages that are named, from CommonJS. */
const { readFileSync } = require("node:fs")
const { join } = require("node:path")
const { Effect } = require("effect")
const { Loader, Resource } = require("effect-loader")

/** Entries of types alone: there is nothing of them at run time. */
const ofTypes = ["effect-loader/Types"]

let count = 0
for (const name of process.argv.slice(2)) {
  const { exports } = JSON.parse(readFileSync(join(__dirname, "node_modules", name, "package.json"), "utf8"))
  for (const entry of Object.keys(exports).filter((entry) => !entry.endsWith(".json"))) {
    const specifier = name + entry.slice(1)
    const isEmpty = Object.keys(require(specifier)).length === 0
    if (isEmpty !== ofTypes.includes(specifier))
      throw new Error(`${specifier} exports ${isEmpty ? "nothing" : "values"}`)
    count++
  }
}
const org = Resource.make("org", { load: () => Effect.succeed("acme") })
console.log(`${count} entries, ${Effect.runSync(Loader.load(Loader.make({ org }))).org}`)
