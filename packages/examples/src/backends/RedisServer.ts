/**
 * A Redis to work on: the one that `REDIS_URL` names, or else one started for this program on a free loopback port. What
 * was written to that is there again after a crash. It is stopped, and its folder removed, when the scope closes.
 */
import { Config, Context, Effect, FileSystem, Layer, Option, Redacted } from "effect"
import { WrongUrl } from "./NoServer.ts"
import { findRedis } from "./RedisBinary.ts"
import * as ServerProcess from "./ServerProcess.ts"

export class RedisServer extends Context.Service<
  RedisServer,
  {
    readonly url: Redacted.Redacted
    readonly description: string
    /** To do with as one likes, where it is one's own. */
    readonly server: ServerProcess.ServerProcess | undefined
  }
>()("examples/RedisServer") {
  static readonly layer = Layer.effect(
    RedisServer,
    Effect.gen(function* () {
      const given = yield* redisUrl
      return Option.isSome(given) ? yield* useGiven(given.value) : yield* startOwn
    })
  )
}

const redisUrl = Effect.orDie(Config.option(Config.Redacted("REDIS_URL")))

const useGiven = (given: Redacted.Redacted): Effect.Effect<RedisServer["Service"], WrongUrl> => {
  const url = URL.parse(Redacted.value(given))
  return url?.protocol === "redis:"
    ? Effect.succeed({ url: given, description: `the Redis of REDIS_URL, on ${url.host}`, server: undefined })
    : Effect.fail(new WrongUrl({ message: "REDIS_URL should look like redis://user:password@host:6379" }))
}

const journal = ["--appendonly", "yes", "--appendfsync", "always"]

/** Starts a Redis with further arguments, whatever `REDIS_URL` says: the caller can stop, kill and change it. */
export const startWith = (argsFor: (port: number) => ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const { command, env } = yield* findRedis
    const folder = yield* fs.makeTempDirectoryScoped({ prefix: "effect-loader-redis-" })
    const server = yield* ServerProcess.make({
      name: "Redis",
      command,
      argsFor: (port) => ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", ...journal, ...argsFor(port)],
      user: { cwd: folder, env }
    })
    return {
      port: server.port,
      url: Redacted.make(`redis://127.0.0.1:${server.port}`),
      description: `Redis, started for this run on 127.0.0.1:${server.port}`,
      server
    }
  })

export const startOwn = startWith(() => [])
