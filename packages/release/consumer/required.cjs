/** Requires every entry of the packages that are named, from CommonJS. */
const { readFileSync } = require("node:fs")
const { join } = require("node:path")
const { Effect } = require("effect")
const { Loader, Resource } = require("effect-loader")

let count = 0
for (const name of process.argv.slice(2)) {
  const { exports } = JSON.parse(readFileSync(join(__dirname, "node_modules", name, "package.json"), "utf8"))
  for (const entry of Object.keys(exports).filter((entry) => !entry.endsWith(".json"))) {
    if (Object.keys(require(name + entry.slice(1))).length === 0) throw new Error(`${name}${entry.slice(1)} is empty`)
    count++
  }
}
const org = Resource.make("org", { load: () => Effect.succeed("acme") })
console.log(`${count} entries, ${Effect.runSync(Loader.load(Loader.make({ org }))).org}`)
