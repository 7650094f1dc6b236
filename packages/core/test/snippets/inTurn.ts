/**
 * A process that runs programs in turn, in order to load the library once for all of them.
 *
 * A program has ended when the event loop is empty, as it has in a process of its own; then the next one begins. What
 * each of them printed is a line of JSON on the fourth file descriptor.
 */
import * as fs from "node:fs"
import { pathToFileURL } from "node:url"
import { inspect } from "node:util"

/** What a program printed. */
export interface Printed {
  readonly file: string
  readonly stdout: string
  readonly stderr: string
}

const printed = { stdout: "", stderr: "" }

const capture = (name: keyof typeof printed): void => {
  process[name].write = ((chunk: string | Uint8Array, encoding: unknown, done?: () => void) => {
    printed[name] += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString()
    const after = typeof encoding === "function" ? encoding : done
    after?.()
    return true
  }) as typeof process.stdout.write
}
capture("stdout")
capture("stderr")

const fail = (error: unknown): void => void (printed.stderr += inspect(error))
process.on("uncaughtException", fail)
process.on("unhandledRejection", fail)

const files = process.argv.slice(2)
let running: string | undefined

const tell = (file: string): void => {
  try {
    fs.writeSync(3, `${JSON.stringify({ file, ...printed } satisfies Printed)}\n`)
  } catch {
    // The process that reads this is gone.
    process.exit(1)
  }
}

process.on("beforeExit", () => {
  if (running !== undefined) tell(running)
  running = files.shift()
  if (running === undefined) return
  Object.assign(printed, { stdout: "", stderr: "" })
  process.exitCode = 0
  const { href } = pathToFileURL(running)
  // From a turn of the event loop: otherwise a program that ends at once ends the process, too.
  setImmediate(() => void import(href).catch(fail))
})
