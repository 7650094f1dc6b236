/** Rate limits and circuit breakers that several processes share, in a real Redis. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Redacted, Schedule } from "effect"
import { startOwn } from "../src/backends/RedisServer.ts"
import { otherProcess } from "./kit/otherProcess.ts"
import { useServers } from "./kit/servers.ts"
import { silently } from "./kit/silently.ts"
import {
  type Answer,
  answer,
  Mail,
  Payments,
  processOn,
  type Question,
  rate,
  Reports,
  searches
} from "./shared/process.ts"

const counted = (answers: Answer, what: string): number => answers.filter((one) => one === what).length

describe("two processes with one Redis", () => {
  const started = useServers(startOwn)
  const url = () => Redacted.value(started().url)
  const second = Effect.suspend(() => otherProcess<Question, Answer>("shared/second.ts", url()))
  /** Services and connections of their own, as another process has them. */
  const another = Effect.suspend(() => Layer.build(Layer.fresh(processOn(url()))))
  const inThisOne = <A, E, R>(self: Effect.Effect<A, E, R>) =>
    Effect.suspend(() => self.pipe(Effect.provide(processOn(url())), Effect.scoped))

  it.live("let as many through, together, as the rate that they share allows", () =>
    Effect.gen(function* () {
      const ask = yield* second
      const answers = (yield* Effect.all([ask("search"), answer("search")], { concurrency: 2 })).flat()
      assert.strictEqual(counted(answers, "loaded"), rate)
      assert.strictEqual(counted(answers, "RateLimitExceeded"), 2 * searches - rate)
      assert.deepStrictEqual(
        yield* ask("search"),
        Array.from({ length: searches }, () => "RateLimitExceeded")
      )
    }).pipe(inThisOne)
  )

  it.live("are both refused by the breaker that the failures of both have opened", () =>
    Effect.gen(function* () {
      const ask = yield* second
      assert.deepStrictEqual(yield* ask("pay"), ["loaded"])
      assert.deepStrictEqual(yield* ask("fail to pay"), ["down"])
      assert.deepStrictEqual(yield* Payments.state, { _tag: "Closed" })
      assert.deepStrictEqual(yield* answer("fail to pay"), ["down"])
      assert.deepStrictEqual(yield* ask("pay"), ["CircuitOpen"])
      assert.deepStrictEqual(yield* answer("pay"), ["CircuitOpen"])
      assert.strictEqual((yield* Payments.state)._tag, "Open")
    }).pipe(inThisOne)
  )

  it.live("try out between them, once, whether all is well again", () =>
    Effect.gen(function* () {
      const other = yield* another
      const tried = yield* Deferred.make<void>()
      const well = yield* Deferred.make<void>()
      const trial = Mail.withBreaker(Effect.andThen(Deferred.succeed(tried, undefined), Deferred.await(well)))
      const untilTried = Effect.retry(trial, Schedule.spaced("10 millis"))
      const elsewhere = Effect.provideContext(Mail.withBreaker(Effect.succeed("sent")), other)

      assert.strictEqual(yield* Effect.flip(Mail.withBreaker(Effect.fail("down"))), "down")
      const trying = yield* Effect.forkChild(untilTried)
      yield* Deferred.await(tried)
      assert.strictEqual((yield* Effect.flip(elsewhere))._tag, "CircuitOpen")
      yield* Deferred.succeed(well, undefined)
      yield* Fiber.join(trying)
      assert.strictEqual(yield* elsewhere, "sent")
      assert.deepStrictEqual(yield* Effect.provideContext(Mail.state, other), { _tag: "Closed" })
    }).pipe(inThisOne)
  )

  it.live("do not wait for a trial in one of them that never ends", () =>
    Effect.gen(function* () {
      const other = yield* another
      const tried = yield* Deferred.make<void>()
      const trial = Reports.withBreaker(Effect.andThen(Deferred.succeed(tried, undefined), Effect.never))
      assert.strictEqual(yield* Effect.flip(Reports.withBreaker(Effect.fail("down"))), "down")
      const trying = yield* Effect.forkChild(Effect.retry(trial, Schedule.spaced("10 millis")))
      yield* Deferred.await(tried)
      const elsewhere = Effect.provideContext(Reports.withBreaker(Effect.succeed("written")), other)
      assert.strictEqual(yield* Effect.retry(elsewhere, Schedule.spaced("10 millis")), "written")
      yield* Fiber.interrupt(trying)
      assert.deepStrictEqual(yield* Effect.provideContext(Reports.state, other), { _tag: "Closed" })
    }).pipe(inThisOne)
  )

  it.live("let everything through while the Redis is gone", () =>
    Effect.gen(function* () {
      const { server } = started()
      yield* server.kill
      assert.deepStrictEqual(
        yield* answer("search"),
        Array.from({ length: searches }, () => "loaded")
      )
      assert.deepStrictEqual(yield* answer("pay"), ["loaded"])
      assert.deepStrictEqual(yield* Payments.state, { _tag: "Unknown" })
      yield* server.start
    }).pipe(inThisOne, silently)
  )
})
