/**
 * A server as a process of its own, on a loopback port that it keeps: to be stopped, killed, paused and started again,
 * as servers are while others use them. It is stopped when its scope closes.
 */
import { Duration, Effect, type Scope } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { createServer } from "node:net"
import { NoServer } from "./NoServer.ts"
import { childrenOf, isStopped, runs } from "./processes.ts"

/** Who runs a server, and where. */
export interface User {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  readonly uid?: number
  readonly gid?: number
}

/** What to start. It has to log that it is "ready to accept connections", in any case of letters. */
interface Program {
  readonly name: string
  readonly command: string
  readonly argsFor: (port: number) => ReadonlyArray<string>
  readonly user: User
}

export interface ServerProcess {
  readonly port: number
  /** Asks it to end, and waits until it has. */
  readonly stop: Effect.Effect<void>
  /** Ends it at once, as a crash would. */
  readonly kill: Effect.Effect<void>
  /** It keeps its connections and takes new ones, and does nothing, until it is resumed. Done when all of it stands. */
  readonly pause: Effect.Effect<void>
  readonly resume: Effect.Effect<void>
  /** Starts it if it does not run, on the same port and with the same data. Done when it is ready. */
  readonly start: Effect.Effect<void, NoServer>
}

export const make = (program: Program): Effect.Effect<ServerProcess, NoServer, Scope.Scope> =>
  // Between finding a free port and listening on it another program may take it: then the next one.
  Effect.retry(startOn(program, freePort), { times: 2 })

const startOn = Effect.fnUntraced(function* (program: Program, findPort: Effect.Effect<number, NoServer>) {
  yield* endWithReader
  const port = yield* findPort
  const server = serverOn(program, port)
  yield* Effect.acquireRelease(Effect.void, () => server.stop)
  yield* server.start
  return server
})

let endsWithReader = false
let isUnread = false

/**
 * When whoever reads the output goes away, as `head` does, the program ends as by Ctrl+C. Otherwise it would crash with its next
 * word, and leave its servers behind.
 */
const endWithReader = Effect.sync(() => {
  if (endsWithReader) return
  endsWithReader = true
  for (const stream of [process.stdout, process.stderr]) stream.on("error", interrupt)
})

/** Once: what is still written fails, too. */
const interrupt = (): void => {
  if (isUnread) return
  isUnread = true
  process.kill(process.pid, "SIGINT")
}

const serverOn = (program: Program, port: number): ServerProcess => {
  let child: ChildProcess | undefined
  const whileThere = (act: (child: ChildProcess) => Effect.Effect<void>) =>
    Effect.suspend(() => (child === undefined ? Effect.void : act(child)))
  return {
    port,
    stop: whileThere(stop),
    kill: whileThere(kill),
    pause: whileThere(pause),
    resume: whileThere(resume),
    start: Effect.suspend(() => {
      if (child !== undefined && !isOver(child)) return Effect.void
      child = launch(program.command, program.argsFor(port), program.user)
      return ready(child, program)
    })
  }
}

const launch = (command: string, args: ReadonlyArray<string>, user: User): ChildProcess =>
  // Detached: Ctrl+C goes to this program alone, which then ends the server after the last query.
  spawn(command, args, { ...user, detached: true, stdio: ["ignore", "pipe", "pipe"] })

const failed = (name: string, command: string, log: string) =>
  new NoServer({ message: `${name} could not be started (${command}): ${log.trim()}` })

/** Runs a command of a server to its end. */
export const run = (
  name: string,
  command: string,
  args: ReadonlyArray<string>,
  user: User
): Effect.Effect<void, NoServer> =>
  Effect.callback((resume) => {
    const child = launch(command, args, user)
    const log = lastOf(child)
    child.once("error", (error) => resume(Effect.fail(failed(name, command, error.message))))
    child.once("close", (code) => resume(code === 0 ? Effect.void : Effect.fail(failed(name, command, log()))))
    return stop(child)
  })

/** The end of what a process has logged so far. */
const lastOf = (child: ChildProcess): (() => string) => {
  let log = ""
  const add = (chunk: unknown) => (log = `${log}${String(chunk)}`.slice(-4000))
  child.stdout?.on("data", add)
  child.stderr?.on("data", add)
  return () => log
}

const ready = (child: ChildProcess, { command, name }: Program): Effect.Effect<void, NoServer> =>
  Effect.callback<void, NoServer>((resume) => {
    const log = lastOf(child)
    const look = () => {
      if (/ready to accept connections/i.test(log())) resume(Effect.void)
    }
    child.stdout?.on("data", look)
    child.stderr?.on("data", look)
    child.once("error", (error) => resume(Effect.fail(failed(name, command, error.message))))
    child.once("exit", () => resume(Effect.fail(failed(name, command, log()))))
  }).pipe(
    Effect.timeoutOrElse({
      duration: "20 seconds",
      orElse: () => Effect.fail(failed(name, command, "not ready in 20s"))
    })
  )

const isOver = (child: ChildProcess): boolean =>
  child.pid === undefined || child.exitCode !== null || child.signalCode !== null

const exited = (child: ChildProcess): Effect.Effect<void> =>
  Effect.callback((resume) => {
    if (isOver(child)) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
  })

const send = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal)
  } catch {
    // it has ended by itself
  }
}

/** A server and what it has started. It is stopped first, so that it starts nothing more. */
const familyOf = (child: ChildProcess): ReadonlyArray<number> => {
  if (isOver(child)) return []
  send(child.pid!, "SIGSTOP")
  return [child.pid!, ...childrenOf(child.pid!)]
}

const signalAll = (family: ReadonlyArray<number>, signal: NodeJS.Signals): void => {
  for (const pid of family) send(pid, signal)
}

const until = (holds: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => (holds() ? Effect.void : Effect.delay(until(holds), "1 millis")))

const pause = (child: ChildProcess): Effect.Effect<void> =>
  until(() => {
    const family = familyOf(child)
    signalAll(family, "SIGSTOP")
    return family.every((pid) => !runs(pid) || isStopped(pid))
  })

const resume = (child: ChildProcess): Effect.Effect<void> => Effect.sync(() => signalAll(familyOf(child), "SIGCONT"))

/** Asks a server to end (SIGINT: end sessions, then stop), and makes it after a while. A paused one has to go on first. */
const stop = (child: ChildProcess): Effect.Effect<void> =>
  Effect.suspend(() => {
    child.kill("SIGINT")
    return Effect.andThen(resume(child), exited(child))
  }).pipe(Effect.timeoutOrElse({ duration: Duration.seconds(5), orElse: () => kill(child) }))

/** What it had started ends a moment later, and until then holds what the next server needs. */
const kill = (child: ChildProcess): Effect.Effect<void> =>
  Effect.suspend(() => {
    const family = familyOf(child)
    signalAll(family, "SIGKILL")
    return Effect.andThen(
      exited(child),
      until(() => !family.some(runs))
    )
  })

const freePort: Effect.Effect<number, NoServer> = Effect.callback((resume) => {
  const server = createServer()
  server.once("error", (error) => resume(Effect.fail(failed("a server", "finding a free port", error.message))))
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    server.close(() => resume(Effect.succeed(port)))
  })
})
