/** What people know from Sage and Reactor, as behaviours: what theirs do, and what they are known to get wrong. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Fiber, Layer } from "effect"
import { Loader, Policy, Report, Resource, ResourceError, Saga } from "effect-loader"
import { RunLog } from "effect-loader/testing"
import { withTime } from "../withTime.ts"
import { failing, Shop } from "./Shop.ts"

const fork = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.forkChild(self, { startImmediately: true })

const after = <A, E, R>(millis: number, self: Effect.Effect<A, E, R>) => Effect.andThen(Effect.sleep(millis), self)

describe("failing", () => {
  it.effect("of a chain, the failed one is cleaned up after first, then each before it is undone, the last first", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const a = shop.step("a")
      const b = shop.step("b", { deps: { a } })
      const c = failing({ b }).pipe(Saga.cleanup(() => shop.clean("c")))
      yield* Effect.exit(Loader.load(Loader.make({ c })))
      assert.deepStrictEqual(shop.log, ["+a", "+b", "~c", "-b", "-a"])
    })
  )

  it.effect("whatever a load ends in, what was done is undone, and the failure is still itself", () =>
    Effect.gen(function* () {
      const bug = new Error("bug")
      const ends: Record<string, () => Effect.Effect<unknown, unknown>> = {
        fails: () => Effect.fail(bug),
        dies: () => Effect.die(bug),
        throws: () => {
          throw bug
        },
        "gives no effect": () => 12 as never
      }
      for (const retried of [false, true]) {
        for (const late of [false, true]) {
          for (const [how, end] of Object.entries(ends)) {
            if (late && how === "gives no effect") continue
            const shop = new Shop()
            const a = shop.step("a")
            const load = () => (late ? after(10, Effect.suspend(end)) : end())
            const plain = Resource.make("last", { deps: { a }, load })
            const last = retried ? plain.pipe(Policy.retry({ times: 2 })) : plain
            const exit = yield* Effect.exit(Loader.load(Loader.make({ last })))
            const [reason] = Exit.isFailure(exit) ? exit.cause.reasons : []
            const error = reason?._tag === "Fail" ? (reason.error as ResourceError<string, unknown>).error : undefined
            const defect = reason?._tag === "Die" ? reason.defect : undefined
            if (how === "fails") assert.strictEqual(error, bug, how)
            else if (how === "gives no effect") assert.instanceOf(defect, TypeError, how)
            else assert.strictEqual(defect, bug, how)
            assert.deepStrictEqual(shop.log, ["+a", "-a"], how)
          }
        }
      }
    }).pipe(withTime)
  )

  it.effect("no effect lands after the load has returned: what runs is stopped, or awaited and undone", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const stopped = shop.step("stopped", { takes: 300 })
      const whole = shop.step("whole", { takes: 300 }).pipe(Policy.around("whole", Effect.uninterruptible))
      yield* Effect.exit(Loader.load(Loader.make({ stopped, whole, last: failing({}, 10) })))
      const log = [...shop.log]
      assert.deepStrictEqual(log, ["+whole", "-whole"])
      yield* Effect.sleep("1 hour")
      assert.deepStrictEqual(shop.log, log)
    }).pipe(withTime)
  )

  it.effect("of two that fail at once both are in the cause, and each names its resource", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const a = shop.step("a")
      const broken = (name: string) =>
        Resource.make(name, { deps: { a }, load: () => Effect.onInterrupt(Effect.never, () => Effect.die(name)) })
      const first = Resource.make("first", { deps: { a }, load: () => after(5, Effect.fail("no")) })
      const exit = yield* Effect.exit(Loader.load(Loader.make({ first, second: broken("second") })))
      const reasons = Exit.isFailure(exit) ? exit.cause.reasons : []
      assert.deepStrictEqual(
        reasons.map(({ _tag }) => _tag),
        ["Fail", "Die"]
      )
      assert.deepStrictEqual(shop.log, ["+a", "-a"])
    }).pipe(withTime)
  )
})

describe("retrying and falling back", () => {
  it.effect("without a policy nothing is tried again", () =>
    Effect.gen(function* () {
      let tries = 0
      const once = Resource.make("once", { load: () => Effect.suspend(() => (tries++, Effect.fail("no"))) })
      yield* Effect.exit(Loader.load(Loader.make({ once })))
      assert.strictEqual(tries, 1)
    })
  )

  it.effect("a retry keeps what came before: nothing of it is undone, and nothing runs again", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      let tries = 0
      const a = shop.step("a")
      const b = Resource.make("b", {
        deps: { a },
        load: () => Effect.suspend(() => (++tries < 3 ? Effect.fail("busy") : shop.do("b")))
      }).pipe(Policy.retry({ times: 2 }))
      yield* Loader.load(Loader.make({ b }))
      assert.deepStrictEqual(shop.log, ["+a", "+b"])
    })
  )

  it.effect("retries are counted for each resource, not for the run", () =>
    Effect.gen(function* () {
      const tries: Record<string, number> = {}
      const flaky = (name: string) =>
        Resource.make(name, {
          load: () =>
            Effect.suspend(() => {
              tries[name] = (tries[name] ?? 0) + 1
              return tries[name] < 3 ? Effect.fail("busy") : Effect.succeed(name)
            })
        }).pipe(Policy.retry({ times: 2 }))
      yield* Loader.load(Loader.make({ a: flaky("a"), b: flaky("b"), c: flaky("c") }))
      assert.deepStrictEqual(tries, { a: 3, b: 3, c: 3 })
    })
  )

  it.effect("when retries are exhausted, what is piped after them sees the last reason, and so does the hook", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      let tries = 0
      const tired = Resource.make("tired", { load: () => Effect.suspend(() => Effect.fail(`no ${++tries}`)) }).pipe(
        Policy.retry({ times: 2 }),
        Policy.around("exhausted", (self) => Effect.tapError(self, (error) => Effect.sync(() => seen.push(error))))
      )
      const loader = Loader.make({ tired }).pipe(
        Loader.onExit((exit) =>
          Effect.sync(() => Exit.isFailure(exit) && seen.push((Cause.squash(exit.cause) as Error).message))
        )
      )
      yield* Effect.exit(Loader.load(loader))
      assert.strictEqual(seen[0], "no 3")
      assert.include(String(seen[1]), "no 3")
    })
  )

  it.effect(
    "a fallback for errors, timeouts and defects: the load goes on, degraded, and what failed left nothing",
    () =>
      Effect.gen(function* () {
        const ends: Record<string, Effect.Effect<string, string>> = {
          fails: Effect.fail("no"),
          hangs: Effect.never,
          dies: Effect.die("bug")
        }
        for (const [how, end] of Object.entries(ends)) {
          const shop = new Shop()
          const a = Resource.make("a", { load: () => end }).pipe(
            Saga.cleanup(() => shop.clean("a")),
            Policy.timeout("1 second"),
            Resource.catchCause(() => Effect.succeed("instead"))
          )
          const b = shop.step("b", { deps: { a } })
          const { exit, report } = yield* Loader.loadWithReport(Loader.make({ a, b }))
          assert.deepStrictEqual(exit, Exit.succeed({ a: "instead", b: "b" }), how)
          assert.strictEqual(Report.outcome(report, "a")?._tag, "Degraded", how)
          assert.deepStrictEqual(shop.log, ["~a", "+b"], how)
        }
      }).pipe(withTime)
  )

  it.effect("of two failures, one with a fallback: no error is a value, and the load fails with the other", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const a = shop.step("a")
      const spared = Resource.make("spared", { deps: { a }, load: () => after(10, Effect.fail("one")) }).pipe(
        Resource.orElseSucceed(() => "instead")
      )
      const other = Resource.make("other", { deps: { a }, load: () => after(10, Effect.fail("two")) })
      const { exit, report } = yield* Loader.loadWithReport(Loader.make({ spared, other }))
      const [reason] = Exit.isFailure(exit) ? exit.cause.reasons : []
      assert.strictEqual(reason?._tag === "Fail" && reason.error.resource, "other")
      assert.notInclude(Object.values(report.values), "one")
      assert.deepStrictEqual(shop.log, ["+a", "-a"])
    }).pipe(withTime)
  )

  it.effect("whoever waits for a resource that retries, falls back or is taken back is not skipped", () =>
    Effect.gen(function* () {
      for (const way of ["retry", "fallback", "rewind"] as const) {
        const shop = new Shop()
        let tries = 0
        const a = shop.step("a")
        const plain = Resource.make("b", {
          deps: { a },
          load: () =>
            after(
              10,
              Effect.suspend(() => (++tries < 2 ? Effect.fail("no") : Effect.succeed("b")))
            )
        })
        const b = {
          retry: plain.pipe(Policy.retry({ times: 1 })),
          fallback: plain.pipe(Resource.orElseSucceed(() => "instead")),
          rewind: plain.pipe(Saga.rewind(a, { times: 1 }))
        }[way]
        const side = shop.step("side", { takes: 5 })
        const waiting = shop.step("waiting", { deps: { b, side } })
        const { events } = yield* RunLog.record(Loader.load(Loader.make({ waiting })))
        assert.include(shop.done, "waiting", way)
        assert.isTrue(RunLog.endedBefore(events, "b", "waiting"), way)
      }
    }).pipe(withTime)
  )
})

describe("wherever it runs", () => {
  it.effect("a service with compensations captures what these need, and a call undoes with it", () =>
    Effect.gen(function* () {
      class Bank extends Context.Service<Bank, { readonly refund: (id: string) => void }>()("Bank") {}
      const refunds: Array<string> = []
      const charge = Resource.make("charge", { load: () => Effect.succeed("c1") }).pipe(
        Saga.compensate((id) => Effect.map(Bank, ({ refund }) => refund(id)))
      )
      class Order extends Loader.Service<Order>()("app/Order", { last: failing({ charge }) }) {}
      const layer = Order.layer.pipe(Layer.provide(Layer.succeed(Bank, { refund: (id) => refunds.push(id) })))
      yield* Effect.exit(Effect.provide(Order.load(), layer))
      assert.deepStrictEqual(refunds, ["c1"])
    })
  )

  it.effect("side by side, each run undoes its own and nothing of another one", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const id = Resource.input<number>()("id")
      const a = Resource.make("a", {
        deps: { id },
        load: ({ id }) => after(id, shop.do(`a${id}`))
      }).pipe(Saga.compensate((name) => after(5, shop.undo(name))))
      const last = Resource.make("last", {
        deps: { a, id },
        load: ({ id }) => after(5, id % 2 === 0 ? Effect.fail("no") : Effect.void)
      })
      const loader = Loader.make({ last })
      const fibers = yield* Effect.forEach([1, 2, 3, 4], (id) => fork(Loader.load(loader, { id })))
      yield* Effect.forEach(fibers, Fiber.await)
      assert.deepStrictEqual(shop.done.toSorted(), ["a1", "a3"])
    }).pipe(withTime)
  )

  it.effect("level by level, with one slot and in whatever order: the same is undone", () =>
    Effect.gen(function* () {
      const options: ReadonlyArray<Loader.Options> = [
        {},
        { scheduling: "batched" },
        { concurrency: 1 },
        { scheduling: "batched", concurrency: 1 }
      ]
      for (const option of options) {
        const shop = new Shop()
        const a = shop.step("a", { takes: 5 })
        const b = shop.step("b", { deps: { a }, takes: 5 })
        const c = shop.step("c", { deps: { a }, takes: 2 })
        yield* Effect.exit(Loader.load(Loader.make({ last: failing({ b, c }, 5) }, option)))
        assert.deepStrictEqual(shop.log.slice(0, 1), ["+a"])
        assert.deepStrictEqual(shop.log.slice(-1), ["-a"])
        assert.strictEqual(shop.log.length, 6)
      }
    }).pipe(withTime)
  )

  it.effect("a loader that is changed or merged keeps its compensations, and its handler", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const told: Array<Saga.RollbackError> = []
      const onCompensationFailure = (error: Saga.RollbackError) => Effect.sync(() => told.push(error))
      const a = shop.step("a")
      const stuck = Resource.make("stuck", { load: () => shop.do("stuck") }).pipe(
        Saga.compensate(() => Effect.fail("stays"))
      )
      const one = Loader.make({ a, last: failing({ a, stuck }, 5) }, { onCompensationFailure })
      const two = Loader.make({ b: shop.step("b") })
      yield* Effect.exit(Loader.load(Loader.merge(one, two)))
      assert.deepStrictEqual(shop.done, ["stuck"])
      assert.deepStrictEqual(
        told.map(({ failures }) => failures.map(({ resource }) => resource)),
        [["stuck"]]
      )
    }).pipe(withTime)
  )
})
