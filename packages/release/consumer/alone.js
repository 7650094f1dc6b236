/** Imports each entry of the packages that are named by itself: none of them needs another one to be imported first. */
import * as fs from "node:fs"
import * as path from "node:path"
import * as process from "node:process"
import { Worker } from "node:worker_threads"

let count = 0
for (const name of process.argv.slice(2)) {
  const manifest = path.join(import.meta.dirname, "node_modules", name, "package.json")
  const { exports } = JSON.parse(fs.readFileSync(manifest, "utf8"))
  for (const entry of Object.keys(exports).filter((entry) => !entry.endsWith(".json"))) {
    // A worker has modules of its own.
    const worker = new Worker(`import("${name}${entry.slice(1)}")`, { eval: true })
    await new Promise((resolve, reject) => worker.once("exit", resolve).once("error", reject))
    count++
  }
}
console.log(`${count} entries`)
