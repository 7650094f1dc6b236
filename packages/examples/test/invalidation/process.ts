/** What each of two processes has: a name, remembered in its own memory, and in a Redis that they share. */
import { NodeRedis } from "@effect/platform-node"
import { Effect, Layer, Schema } from "effect"
import { Loader, Policy, Report, Resource, ResourceCache } from "effect-loader"
import * as Persisted from "effect-loader/persistence"
import { Persistence, Redis } from "effect/persistence"

export class Names extends ResourceCache.Service<Names, string>()("invalidation/Names", { keyed: true }) {}

/** How long a process may give from its memory what another one has forgotten, in milliseconds. */
const bound = 250

export const key = "user:1"

/** Where the name really is: a key of the same Redis, which no cache knows of. */
export const origin = "name of user 1"

const name = Resource.make("name", {
  key: () => key,
  load: () => Redis.Redis.use((redis) => redis.send<string>("GET", origin))
}).pipe(Policy.cache(Names))

const page = Loader.make({ name })

/** A load, as one process tells another of it. */
export interface Answer {
  readonly name: string
  readonly from: "memory" | "store" | "origin"
}

export const load = Effect.gen(function* () {
  const { exit, report } = yield* Loader.loadWithReport(page)
  const { name } = yield* exit
  const { attempts, caches } = Report.get(report, "name")!
  const isFrom = (level: ResourceCache.CacheLevel) => caches?.some((reads) => reads.level === level && reads.hit > 0)
  const from = attempts > 0 ? "origin" : isFrom("memory") ? "memory" : "store"
  return { name, from } satisfies Answer
})

/** The store may take its time: what it cannot do is not what is to be seen. */
export const processOn = (url: string) =>
  Persisted.layer(Names, {
    value: Schema.String,
    timeToLive: "1 hour",
    memory: { timeToLive: bound },
    within: "2 seconds"
  }).pipe(Layer.provide(Persistence.layerBackingRedis), Layer.provideMerge(NodeRedis.layer({ url })))
