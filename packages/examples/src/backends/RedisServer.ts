/**
 * A Redis to work on, started for this program on a free loopback port. What was written is there again after a crash.
 * It is stopped, and its folder removed, when the scope closes.
 */
import { Effect, FileSystem } from "effect"
import { findRedis } from "./RedisBinary.ts"
import * as ServerProcess from "./ServerProcess.ts"

const journal = ["--appendonly", "yes", "--appendfsync", "always"]

export const startOwn = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const { command, env } = yield* findRedis
  const folder = yield* fs.makeTempDirectoryScoped({ prefix: "effect-loader-redis-" })
  const server = yield* ServerProcess.make({
    name: "Redis",
    command,
    argsFor: (port) => ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", ...journal],
    user: { cwd: folder, env }
  })
  return { port: server.port, description: `Redis, started for this run on 127.0.0.1:${server.port}`, server }
})
