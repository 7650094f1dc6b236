/** Programs that run in a few long-lived processes, and what each of them printed. */
import { spawn } from "node:child_process"
import * as path from "node:path"
import * as readline from "node:readline"
import type { Readable } from "node:stream"
import type { Printed } from "./inTurn.ts"

/** How long one program may take: a program that hangs ends its process, and the others go on in a new one. */
const limit = 60_000

type Answer = (printed: Printed) => void

const runner = path.join(import.meta.dirname, "inTurn.ts")

/** Runs programs in turn in one process, and again in another one where a program ends the process that it is in. */
const runInTurn = async (files: ReadonlyArray<string>, answer: Answer): Promise<void> => {
  const left = [...files]
  while (left.length > 0) {
    const child = spawn(process.execPath, [runner, ...left], { stdio: ["ignore", "pipe", "pipe", "pipe"] })
    let crash = ""
    child.stderr!.on("data", (chunk) => (crash += chunk))
    child.stdout!.resume()
    const closed = new Promise<void>((resolve) => child.once("close", () => resolve()))
    const kill = (): void => {
      crash += `it did not end within ${limit / 1000} s`
      child.kill("SIGKILL")
    }
    let timer = setTimeout(kill, limit)
    for await (const line of readline.createInterface({ input: child.stdio[3] as Readable })) {
      clearTimeout(timer)
      timer = setTimeout(kill, limit)
      left.shift()
      answer(JSON.parse(line))
    }
    clearTimeout(timer)
    await closed
    // The process is over before its programs are: the one that ran has ended it.
    const file = left.shift()
    if (file !== undefined) answer({ file, stdout: "", stderr: crash || "it ended the process that it ran in" })
  }
}

/** What each program printed, once it has ended. */
export const runAll = (files: ReadonlyArray<string>, processes: number): ReadonlyMap<string, Promise<Printed>> => {
  const answers = new Map<string, Answer>()
  const results = new Map(
    files.map((file) => [file, new Promise<Printed>((resolve) => answers.set(file, resolve))] as const)
  )
  for (let k = 0; k < processes; k++) {
    const share = files.filter((_, index) => index % processes === k)
    void runInTurn(share, (printed) => answers.get(printed.file)!(printed))
  }
  return results
}
