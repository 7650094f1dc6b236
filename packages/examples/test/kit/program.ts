/** Programs, run as a user runs them. */
import { type ChildProcess, spawn } from "node:child_process"
import { chmod, mkdtemp, readdir, rm } from "node:fs/promises"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, beforeEach } from "vitest"
import { requireServices, warnOfSkipping } from "./servers.ts"

/** After so many milliseconds a program hangs: far more than the slowest machine takes. It decides nothing else. */
export const hangs = 600_000

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export const launch = (
  program: string,
  env: NodeJS.ProcessEnv = {},
  flags: ReadonlyArray<string> = []
): ChildProcess => {
  const { FORCE_COLOR: _, ...inherited } = process.env
  return spawn(process.execPath, [...flags, join(import.meta.dirname, "../../src", program)], {
    env: { ...inherited, NO_COLOR: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"]
  })
}

/** For `launch`: as on a machine that there are no binaries of servers for. */
export const onOtherMachine: ReadonlyArray<string> = [
  "--import",
  "data:text/javascript,Object.defineProperty(process,'arch',{value:'mips'})"
]

export const ended = (child: ChildProcess, onOut: (out: string) => void = () => {}): Promise<Ended> =>
  new Promise((resolve, reject) => {
    let out = ""
    let err = ""
    child.stdout?.on("data", (chunk) => onOut((out += chunk)))
    child.stderr?.on("data", (chunk) => (err += chunk))
    child.once("error", reject)
    child.once("close", (code) => resolve({ code, out, err }))
  })

/** A program that ran to its end before the tests of a suite: what it printed, and the folder that it worked in. */
export interface Ran extends Ended {
  readonly folder: string
}

/**
 * Runs a program once for all tests of the suite. Where a server that it needs cannot be had, or where it says that
 * something `stoodIn` for one, they are skipped, loudly; where servers are required that is a failure.
 */
export const useRun = (program: string, stoodIn?: RegExp): Ran => {
  const ran = { folder: "", code: null, out: "", err: "" }
  let missing = false
  beforeAll(async () => {
    ran.folder = await mkdtemp(join(tmpdir(), "effect-loader-test-"))
    // as the system's temporary folder is: under root a server runs as somebody else, who must get in
    await chmod(ran.folder, 0o755)
    Object.assign(ran, await ended(launch(program, { TMPDIR: ran.folder })))
    const why = stoodIn?.test(ran.out) ? ran.out.slice(0, 1500) : ran.code === 1 ? ran.err : ""
    missing = /there is no (PostgreSQL|Redis)/.test(why)
    if (missing && requireServices) throw new Error(why)
    if (missing) warnOfSkipping(program, why)
  }, hangs)
  beforeEach(({ skip }) => skip(missing))
  afterAll(() => rm(ran.folder, { recursive: true, force: true }))
  return ran
}

/** Interrupts a program as Ctrl+C does once it has printed `text`, and waits for its end. */
const interruptedAt = (program: string, text: string, env: NodeJS.ProcessEnv): Promise<Ended> => {
  const child = launch(program, env)
  return ended(child, (out) => {
    if (out.includes(text) && child.exitCode === null) child.kill("SIGINT")
  })
}

/** Reads what a program prints as far as `text`, then no more, and waits for its end. */
const readUntil = (program: string, text: string, env: NodeJS.ProcessEnv): Promise<Ended> => {
  const child = launch(program, env)
  return ended(child, (out) => {
    if (out.includes(text)) child.stdout?.destroy()
  })
}

export const assertInOrder = (text: string, parts: ReadonlyArray<string>): void => {
  let from = 0
  for (const part of parts) {
    const at = text.indexOf(part, from)
    assert.isAtLeast(at, 0, `"${part}" is missing, or out of order, in:\n${text}`)
    from = at + part.length
  }
}

export const assertEndedWell = ({ code, err }: Ended): void => {
  assert.strictEqual(err, "")
  assert.strictEqual(code, 0)
}

export const assertReadable = (out: string): void => {
  assert.notMatch(out, /undefined|\[object Object\]|NaN|Infinity/)
  assert.notInclude(out, "\u001b")
  const widest = Math.max(...out.split("\n").map((line) => line.length))
  assert.isAtMost(widest, 100)
}

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
    socket.once("connect", () => (socket.destroy(), resolve(true)))
    socket.once("error", () => resolve(false))
  })

/** Asserts that of the servers and folders that the output tells of nothing is still there. */
export const assertNothingLeft = async (out: string, folder: string): Promise<void> => {
  const addresses = out.matchAll(/(?:started for this run|a service of this program) on \S*?127\.0\.0\.1:(\d+)/g)
  const ports = Array.from(addresses, ([, port]) => Number(port))
  const open = await Promise.all(ports.map(listens))
  assert.isAbove(ports.length, 0)
  assert.deepStrictEqual(
    { ports: ports.filter((_, i) => open[i]), files: await readdir(folder) },
    { ports: [], files: [] }
  )
}

/** Asserts that a program which is interrupted once it has printed `text` ends as one that was, and leaves nothing. */
export const assertInterruptible = async (program: string, text: string, folder: string): Promise<string> => {
  const { code, out } = await interruptedAt(program, text, { TMPDIR: folder })
  assert.strictEqual(code, 130)
  await assertNothingLeft(out, folder)
  return out
}

/** The same of one whose output nobody reads any more. */
export const assertEndsUnread = async (program: string, text: string, folder: string): Promise<void> => {
  const { code, err, out } = await readUntil(program, text, { TMPDIR: folder })
  assert.deepStrictEqual([code, err], [130, ""])
  await assertNothingLeft(out, folder)
}
