/** What a load comes to when the store behind its cache goes wrong, on a real Redis: nothing worse than a miss. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Loader, Observer, Policy, Resource, ResourceCache } from "effect-loader"
import * as Persisted from "effect-loader/persistence"
import { silently } from "../kit/silently.ts"
import { useServers } from "../kit/servers.ts"
import { type FaultName, faults, store } from "./backends.ts"
import { withMeanwhile } from "./during.ts"
import { User } from "./page.ts"
import { told } from "./told.ts"

class Cached extends ResourceCache.Service<Cached, typeof User.Type>()("faults/Cached", { keyed: true }) {}

const user = (id: string, name: string) =>
  Resource.make(`user ${id}`, { key: () => `user:${id}`, load: () => Effect.succeed({ id, name }) }).pipe(
    Policy.cache(Cached)
  )

const page = Loader.make({ ada: user("1", "Ada"), bob: user("2", "Bob") })

/** No memory, so that each load asks the store. Reads end at the usual time limit only where the table has errors. */
const layerFor = (fault: FaultName) =>
  Persisted.layer(Cached, {
    value: User,
    timeToLive: "1 hour",
    memory: { timeToLive: 0 },
    within: told(fault, "cache level 2")?.includes("error") === true ? "100 millis" : "1 minute"
  })

/** Loads, and what the store was found to have, user by user. */
const load = Effect.gen(function* () {
  const found = new Map<string, string>()
  const watch = Observer.layer((event) => {
    if (event._tag === "CacheRead" && event.level === "persisted") found.set(event.resource, event.result)
  })
  const report = yield* Effect.provide(Loader.settle(page), watch)
  return { report, found: ["user 1", "user 2"].map((name) => found.get(name)) }
})

/** Until the store has both users. They are written to it beside the loads. */
const filled: Effect.Effect<void, never, Cached> = Effect.flatMap(load, ({ found }) =>
  found.every((result) => result === "hit") ? Effect.void : Effect.delay(filled, "20 millis")
)

const tell = ([ada, bob]: ReadonlyArray<string | undefined>): string =>
  ada === bob ? `loaded, store: ${ada}` : `loaded, store: one ${ada}, the other ${bob}`

describe("cache level 2", () => {
  const started = useServers(silently(store))

  const tryOut = (fault: FaultName) =>
    Effect.gen(function* () {
      const { faults, mend } = started()
      const { before = Effect.void, during = Effect.void } = faults[fault]
      yield* filled
      yield* before
      const observed = yield* withMeanwhile(load, "PoliciesStarted", during)
      yield* mend
      yield* filled
      return observed
    })
  for (const fault of faults) {
    it.live(`${fault}: the users are loaded, and the store is used again when it is well`, () =>
      Effect.gen(function* () {
        const { found, report } = yield* tryOut(fault)
        assert.deepStrictEqual(report.values, { ada: { id: "1", name: "Ada" }, bob: { id: "2", name: "Bob" } })
        assert.strictEqual(tell(found), told(fault, "cache level 2"))
      }).pipe(Effect.provide(layerFor(fault)), Effect.provideContext(started().persistence), silently)
    )
  }
})
