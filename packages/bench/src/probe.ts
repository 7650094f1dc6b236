/**
 * One run of one contender in a process of its own: what takes too long, or takes its process down, is found out
 * without spoiling the bench.
 *
 * As a program: `node probe.ts <size of the layered graph> <body> <contender>` prints milliseconds.
 */
import { spawn } from "node:child_process"
import { performance } from "node:perf_hooks"
import { fileURLToPath } from "node:url"
import { bodies } from "./body.ts"
import { contenders } from "./contenders/index.ts"
import { layered } from "./workload.ts"

export type Probe =
  | { readonly _tag: "Finished"; readonly ms: number }
  | { readonly _tag: "TooLong"; readonly seconds: number }
  | { readonly _tag: "Crashed" }

export const probe = (size: number, body: string, contender: string, seconds: number): Promise<Probe> =>
  new Promise((resolve) => {
    const file = fileURLToPath(import.meta.url)
    const child = spawn(process.execPath, [file, String(size), body, contender], {
      stdio: ["ignore", "pipe", "ignore"],
      timeout: seconds * 1000,
      killSignal: "SIGKILL"
    })
    let output = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text
    })
    child.on("close", (code) => {
      if (code === 0 && output !== "") resolve({ _tag: "Finished", ms: Number(output) })
      else resolve(child.killed ? { _tag: "TooLong", seconds } : { _tag: "Crashed" })
    })
  })

const main = async ([size, bodyName, contenderName]: ReadonlyArray<string>): Promise<void> => {
  const body = bodies.find(({ name }) => name === bodyName)!
  const contender = contenders.find(({ name }) => name === contenderName)!
  const { run } = contender.graph!(layered(Number(size)), body)
  const start = performance.now()
  await run()
  process.stdout.write(String(performance.now() - start))
}

if (import.meta.main) await main(process.argv.slice(2))
