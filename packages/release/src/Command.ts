/** Programs that are run to see what they say, each for a limited time. */
import { spawnSync } from "node:child_process"
import * as path from "node:path"

/** How long a program may take unless told otherwise, in milliseconds. */
const twoMinutes = 120_000

export interface Command {
  readonly program: string
  readonly args: ReadonlyArray<string>
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  /** How long it may take, in milliseconds. Default: two minutes. */
  readonly limit?: number
}

/** Runs a program, and gives what it printed. Fails with all that it said when it fails, or takes too long. */
export const run = ({ args, cwd, env = {}, limit = twoMinutes, program }: Command): string => {
  const { error, signal, status, stderr, stdout } = spawnSync(program, args, {
    cwd,
    env: { ...process.env, NO_COLOR: "1", ...env },
    encoding: "utf8",
    timeout: limit,
    killSignal: "SIGKILL",
    maxBuffer: 64 * 1024 * 1024
  })
  if (status === 0) return stdout
  const why = signal === null ? `exit ${status}` : `killed by ${signal}, after at most ${limit / 1000} s`
  const command = [path.basename(program), ...args].join(" ")
  throw new Error(`${command}: ${error?.message ?? why}\n${stdout ?? ""}${stderr ?? ""}`)
}
