/** Level 2: Redis, which can be made to hang, to go, and to come back; or a stand-in in memory where there is none. */
import { NodeRedis } from "@effect/platform-node"
import { Context, Effect, Layer, Redacted, References } from "effect"
import { Persistence, Redis } from "effect/persistence"
import * as FaultyLink from "../backends/FaultyLink.ts"
import { WrongUrl } from "../backends/NoServer.ts"
import { RedisServer } from "../backends/RedisServer.ts"
import type { ServerProcess } from "../backends/ServerProcess.ts"
import * as FaultyStore from "./FaultyStore.ts"

/** One of the things that can be done to the store, and how that is done, in words. */
interface Act {
  readonly how: string
  readonly act: Effect.Effect<unknown, unknown>
}

export class Shared extends Context.Service<
  Shared,
  {
    readonly description: string
    readonly why?: string
    /** It takes what it is asked, and does not answer. */
    readonly hang: Act
    /** It is gone, and so are its connections. */
    readonly kill: Act
    /** It is as it was. */
    readonly mend: Act
    /** Done when it answers. */
    readonly answers: Effect.Effect<unknown>
  }
>()("levels/Shared") {}

type Faults = Pick<Shared["Service"], "hang" | "kill" | "mend">

const faultsOfServer = (server: ServerProcess): Faults => ({
  hang: { how: "its process is paused: SIGSTOP", act: server.pause },
  kill: { how: "its process is killed: SIGKILL", act: server.kill },
  mend: {
    how: "its process is started again, with its data",
    act: Effect.andThen(server.resume, server.start)
  }
})

/** What is somebody else's is left alone: the way to it breaks. It is cut at the end, as answers may be on it still. */
const faultsOfLink = (link: FaultyLink.FaultyLink): Faults => {
  const cut = link.behave({ _tag: "Refuses" })
  return {
    hang: { how: "its answers come a second late", act: link.behave({ _tag: "Delays", millis: 1000 }) },
    kill: { how: "the connections to it are cut, and no new ones come about", act: cut },
    mend: { how: "it can be reached again", act: Effect.andThen(cut, link.behave({ _tag: "Passes" })) }
  }
}

const linkTo = Effect.fnUntraced(function* (given: Redacted.Redacted) {
  const url = new URL(Redacted.value(given))
  const link = yield* FaultyLink.to(Number(url.port || 6379), url.hostname)
  url.host = `127.0.0.1:${link.port}`
  return { url: Redacted.make(url.href), faults: faultsOfLink(link) }
})

/** Without a queue for while it is not connected: whoever asks then is told at once. Its warnings are what is wanted here. */
const client = (url: Redacted.Redacted) =>
  NodeRedis.layer({ url: Redacted.value(url), disableOfflineQueue: true }).pipe(
    Layer.provide(Layer.succeed(References.MinimumLogLevel, "None"))
  )

const unreachable = (description: string) =>
  Layer.effectContext(Effect.fail(new WrongUrl({ message: `${description} does not answer` })))

const until = <E, R>(self: Effect.Effect<unknown, E, R>): Effect.Effect<void, never, R> =>
  Effect.catch(Effect.asVoid(self), () => Effect.delay(until(self), "10 millis"))

const real = Layer.unwrap(
  Effect.gen(function* () {
    const { description, server, url } = yield* RedisServer
    const way = server === undefined ? yield* linkTo(url) : { url, faults: faultsOfServer(server) }
    const shared = Layer.effect(
      Shared,
      Redis.Redis.useSync((redis) => ({ description, ...way.faults, answers: until(redis.send("PING")) }))
    )
    return Layer.merge(shared, Persistence.layerBackingRedis).pipe(
      Layer.provide(client(way.url)),
      Layer.catchTag("RedisError", () => unreachable(description))
    )
  })
).pipe(Layer.provide(RedisServer.layer))

/** What stands in where there is no server. */
export const standIn = (why: string) =>
  Layer.effectContext(
    Effect.map(FaultyStore.make, ({ behave, persistence }) =>
      Context.make(Persistence.BackingPersistence, persistence).pipe(
        Context.add(Shared, {
          description: "none: a store in the memory of this program stands in for Redis",
          why,
          hang: { how: "it is told not to answer", act: behave("hangs") },
          kill: { how: "it is told to fail", act: behave("fails") },
          mend: { how: "it is told to answer", act: behave("answers") },
          answers: Effect.void
        })
      )
    )
  )

export const layer = Layer.catchTag(real, "NoServer", ({ message }) => standIn(message))
