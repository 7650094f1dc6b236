/** A limiter that knows the lag of its process. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Fiber, Layer, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { Limiter } from "effect-loader"
import { layerEventLoopLag } from "effect-loader/node"
import { layerReporting } from "../../src/node/EventLoopLag.ts"
import { type LagMonitor, watchEventLoop } from "../../src/node/LagMonitor.ts"

class Postgres extends Limiter.Service<Postgres>()("app/Postgres") {}

/** A monitor with given measurements. */
const monitored = () => {
  const told = { lag: 0, open: 0, taken: 0 }
  const take = (): number => {
    told.taken++
    return told.lag
  }
  const monitor: Effect.Effect<LagMonitor, never, Scope.Scope> = Effect.acquireRelease(
    Effect.sync(() => {
      told.open++
      return { take }
    }),
    () => Effect.sync(() => told.open--)
  )
  return { told, monitor }
}

const reporting = (monitor: Effect.Effect<LagMonitor, never, Scope.Scope>) =>
  layerReporting(Postgres, Duration.seconds(1), monitor)

const limit = Effect.map(Postgres.stats, ({ limit }) => limit)

describe("a limiter in a process with lag", () => {
  it.effect("lowers its limit by a twentieth a second, down to a tenth, and raises it again as slowly", () =>
    Effect.gen(function* () {
      const { monitor, told } = monitored()
      yield* Layer.build(reporting(monitor))
      told.lag = 51
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* limit, 95)
      yield* TestClock.adjust("9 seconds")
      assert.strictEqual(yield* limit, Math.floor(100 * 0.95 ** 10))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* limit, 10)
      told.lag = 50
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* limit, Math.floor(10 * 1.05 ** 10))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* limit, 100)
    }).pipe(Effect.scoped, Effect.provide(Postgres.layer({ limit: 100 })))
  )

  it.effect("learns nothing during the lag", () =>
    Effect.gen(function* () {
      const { monitor, told } = monitored()
      yield* Layer.build(reporting(monitor))
      told.lag = 80
      yield* TestClock.adjust("1 second")
      const client = Effect.forever(Postgres.withPermit(Effect.sleep("10 millis")))
      const clients = yield* Effect.forEach(Array.from({ length: 30 }), () => Effect.forkChild(client))
      yield* TestClock.adjust("3 seconds")
      assert.isUndefined((yield* Postgres.stats).baseline)
      told.lag = 0
      yield* TestClock.adjust("3 seconds")
      assert.approximately((yield* Postgres.stats).baseline!, 10, 0.1)
      yield* Fiber.interruptAll(clients)
    }).pipe(Effect.scoped, Effect.provide(Postgres.layerAdaptive()))
  )

  it.effect("assumes no lag after the end of the layer, which leaves no monitor behind", () =>
    Effect.gen(function* () {
      const { monitor, told } = monitored()
      const closed = yield* Deferred.make<void>()
      const watching = yield* Effect.forkChild(
        Effect.scoped(Effect.andThen(Layer.build(reporting(monitor)), Deferred.await(closed))),
        { startImmediately: true }
      )
      told.lag = 80
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(told, { lag: 80, open: 1, taken: 2 })
      yield* Deferred.succeed(closed, undefined)
      yield* Fiber.join(watching)
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(told, { lag: 80, open: 0, taken: 2 })
      const client = Effect.forever(Postgres.withPermit(Effect.sleep("10 millis")))
      const clients = yield* Effect.forEach(Array.from({ length: 30 }), () => Effect.forkChild(client))
      yield* TestClock.adjust("3 seconds")
      assert.isDefined((yield* Postgres.stats).baseline)
      yield* Fiber.interruptAll(clients)
    }).pipe(Effect.provide(Postgres.layerAdaptive()))
  )
})

describe("the event loop", () => {
  it.live("that was stalled has at least that lag", () =>
    Effect.gen(function* () {
      const { take } = yield* watchEventLoop(10)
      const until = performance.now() + 200
      while (performance.now() < until);
      // A busy machine can only add to the lag.
      assert.isAtLeast(take(), 190)
      assert.isAtLeast(take(), 0)
    }).pipe(Effect.scoped)
  )

  it.live("is monitored until its layer ends", () =>
    Effect.gen(function* () {
      yield* Effect.sleep("50 millis")
      assert.isAtLeast(yield* limit, 1)
    }).pipe(
      Effect.provide(
        layerEventLoopLag(Postgres, { every: "10 millis" }).pipe(Layer.provideMerge(Postgres.layer({ limit: 3 })))
      )
    )
  )
})
