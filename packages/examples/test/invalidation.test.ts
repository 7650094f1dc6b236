/** What one process forgets, another one forgets: two processes with one Redis between them. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Redis } from "effect/persistence"
import { startOwn } from "../src/backends/RedisServer.ts"
import { type Answer, key, load, Names, origin, processOn } from "./invalidation/process.ts"
import { otherProcess } from "./kit/otherProcess.ts"
import { useServers } from "./kit/servers.ts"

/** Asks again and again until an answer is as wanted, and gives all answers. */
const untilOne = <E, R>(ask: Effect.Effect<Answer, E, R>, wanted: (answer: Answer) => boolean) =>
  Effect.gen(function* () {
    const answers: Array<Answer> = []
    while (!answers.some(wanted)) answers.push(yield* Effect.delay(ask, "10 millis"))
    return answers
  }).pipe(Effect.timeout("1 minute"))

const namesOf = (answers: ReadonlyArray<Answer>) => [...new Set(answers.map(({ name }) => name))]

describe("two processes with one Redis", () => {
  const started = useServers(Effect.map(startOwn, ({ url }) => Redacted.value(url)))

  it.live("what one forgets, the other gives from its memory for a while at the most, and never again", () =>
    Effect.gen(function* () {
      const redis = yield* Redis.Redis
      const rename = (name: string) => redis.send("SET", origin, name)
      const ask = (yield* otherProcess<"load", Answer>("invalidation/second.ts", started()))("load")

      yield* rename("Ada")
      assert.deepInclude(yield* load, { name: "Ada", from: "origin" })
      // Written to the store beside, and so had from there by the other process; once more after its memory's time.
      yield* untilOne(load, ({ from }) => from === "store")
      assert.deepInclude(yield* ask, { name: "Ada", from: "store" })

      yield* rename("Grace")
      const unaware = yield* untilOne(ask, ({ from }) => from === "store")
      assert.deepStrictEqual(namesOf(unaware), ["Ada"])

      assert.isTrue(yield* Names.invalidate(key))
      const aware = yield* untilOne(ask, ({ name }) => name === "Grace")
      const last = aware.at(-1)!
      assert.strictEqual(last.from, "origin")

      const later = yield* untilOne(ask, ({ from }) => from === "store")
      assert.deepStrictEqual(namesOf(later), ["Grace"])
      assert.deepInclude(yield* load, { name: "Grace" })
    }).pipe(Effect.provide(processOn(started())), Effect.scoped)
  )
})
