/** Loaders as services: what is captured, what stays the caller's, and what tests put in their place. */
import { assert, describe, it } from "@effect/vitest"
import * as AllOfEffect from "effect"
import {
  Cause,
  Clock,
  Context,
  Data,
  Effect,
  Exit,
  Layer,
  Logger,
  ManagedRuntime,
  References,
  Scope,
  Tracer
} from "effect"
import { Loader, Plan, Policy, Report, Resource, ResourceError, Tracing } from "effect-loader"
import { TestClock } from "effect/testing"
import { isCallers } from "../../src/base/Callers.ts"
import { withTime } from "../withTime.ts"

class NotFound extends Data.TaggedError("NotFound")<{ readonly id: number }> {}
class Users extends Context.Service<Users, { readonly find: (id: number) => Effect.Effect<string, NotFound> }>()(
  "Users"
) {}

const userId = Resource.input<number>()("userId")
const user = Resource.make("user", { deps: { userId }, load: ({ userId }) => Users.use((users) => users.find(userId)) })
const greeting = Resource.make("greeting", { deps: { user }, load: ({ user }) => Effect.succeed(`Hello ${user}`) })

class Page extends Loader.Service<Page>()("app/Page", { user, greeting }, { concurrency: 2 }) {}

const UsersLive = Layer.succeed(Users, {
  find: (id) => (id > 0 ? Effect.succeed(`user ${id}`) : Effect.fail(new NotFound({ id })))
})
const PageLive = Page.layer.pipe(Layer.provide(UsersLive))

describe("Loader.Service", () => {
  it.effect("loads and settles for whoever has the service, and nothing else", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* Page.load({ userId: 7 }), { user: "user 7", greeting: "Hello user 7" })
      const report = yield* Page.settle({ userId: 0 })
      assert.strictEqual(Report.outcome(report, "greeting")?._tag, "Skipped")
      const error = yield* Effect.flip(Page.load({ userId: 0 }))
      assert.instanceOf(error, ResourceError)
      assert.deepStrictEqual([error.resource, error.error._tag], ["user", "NotFound"])
    }).pipe(Effect.provide(PageLive))
  )

  it.effect("captured services win over the caller's", () =>
    Effect.gen(function* () {
      const others = Layer.succeed(Users, { find: () => Effect.succeed("somebody else") })
      const { user } = yield* Page.load({ userId: 1 }).pipe(Effect.provide(others))
      assert.strictEqual(user, "user 1")
    }).pipe(Effect.provide(PageLive))
  )

  it.effect("the caller's scope, span, clock, loggers and other references stay the caller's", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const opened = Resource.make("opened", {
        load: () =>
          Effect.acquireRelease(
            Effect.sync(() => log.push("open")),
            () => Effect.sync(() => log.push("close"))
          )
      })
      const seen = Resource.make("seen", {
        load: () =>
          Effect.gen(function* () {
            yield* Effect.log("from inside")
            const span = yield* Effect.option(Effect.currentSpan)
            const level = yield* References.MinimumLogLevel
            return { at: yield* Clock.currentTimeMillis, span: span._tag === "Some" ? span.value.name : "", level }
          })
      })
      class Open extends Loader.Service<Open>()("app/Open", { opened, seen }) {}
      const runtime = ManagedRuntime.make(
        Open.layer.pipe(Layer.provide(Layer.succeed(References.MinimumLogLevel, "Error")))
      )
      const open = yield* Effect.promise(() => runtime.runPromise(Open))
      yield* TestClock.setTime(1234)
      const loaded = yield* Effect.scoped(
        Effect.gen(function* () {
          const { seen } = yield* open.load()
          log.push("still open")
          return seen
        })
      ).pipe(
        Effect.withSpan("caller"),
        Effect.provide(Logger.layer([Logger.make(({ message }) => log.push(String(message)))])),
        Effect.provideService(References.MinimumLogLevel, "Debug")
      )
      assert.deepStrictEqual(loaded, { at: 1234, span: "caller", level: "Debug" })
      assert.deepStrictEqual(log, ["open", "from inside", "still open", "close"])
      yield* Effect.promise(() => runtime.dispose())
    })
  )

  it("knows every reference of Effect by its key, and takes no service for one", () => {
    const keys = Object.values(AllOfEffect).flatMap((module) =>
      Object.values(module as object).flatMap((value: unknown) =>
        Context.isKey(value) && Context.isReference(value as Context.Key<unknown, unknown>)
          ? [(value as Context.Key<unknown, unknown>).key]
          : []
      )
    )
    assert.isAbove(keys.length, 20)
    assert.deepStrictEqual(
      keys.filter((key) => !isCallers(key)),
      []
    )
    const theirs = [Tracer.ParentSpan.key, Scope.Scope.key, Layer.CurrentMemoMap.key]
    assert.isTrue(theirs.every(isCallers))
    const services = [
      AllOfEffect.FileSystem.FileSystem.key,
      AllOfEffect.Path.Path.key,
      "app/Users",
      "effect/sql/SqlClient"
    ]
    assert.isFalse(services.some(isCallers))
  })

  it.effect("watches are kept from both sides", () =>
    Effect.gen(function* () {
      const names: Array<string> = []
      const tracer = Tracer.make({
        span: (options) => {
          names.push(options.name)
          return new Tracer.NativeSpan(options)
        }
      })
      yield* Page.load({ userId: 1 }).pipe(
        Effect.provide(PageLive.pipe(Layer.provide(Tracing.layer))),
        Effect.withTracer(tracer)
      )
      assert.deepStrictEqual(names, ["load app/Page", "user", "greeting"])
    })
  )

  it.effect("has other options in another layer", () =>
    Effect.gen(function* () {
      const { load } = yield* Page
      assert.strictEqual((yield* load({ userId: 1 })).user, "user 1")
    }).pipe(Effect.provide(Page.layerWith({ concurrency: 1, name: "page" }).pipe(Layer.provide(UsersLive))))
  )

  it("is compiled at the first use, and tells then what is wrong", () => {
    const twin = Resource.make("user", { load: () => Effect.succeed(1) })
    class Bad extends Loader.Service<Bad>()("app/Bad", { user, twin }) {}
    assert.throws(() => Bad.loader, "duplicate name")
    const exit = Effect.runSyncExit(Effect.provide(Bad.load({ userId: 1 }), Bad.layer.pipe(Layer.provide(UsersLive))))
    assert.isTrue(Exit.isFailure(exit) && Cause.pretty(exit.cause).includes('duplicate name "user"'))
    assert.strictEqual(Page.loader, Page.loader)
    assert.strictEqual(Loader.plan(Page.loader).loader, "app/Page")
    assert.include(Plan.toText(Loader.plan(Page.loader)), "greeting <- user")
  })

  it("works through a managed runtime in code that is not Effect, and an abort interrupts the run", async () => {
    let interrupted = 0
    const slow = Resource.make("slow", {
      load: () => Effect.onInterrupt(Effect.never, () => Effect.sync(() => interrupted++))
    })
    class Slow extends Loader.Service<Slow>()("app/Slow", { slow }) {}
    const runtime = ManagedRuntime.make(Layer.mergeAll(PageLive, Slow.layer))
    assert.strictEqual((await runtime.runPromise(Page.load({ userId: 3 }))).user, "user 3")
    const controller = new AbortController()
    const running = runtime.runPromiseExit(Slow.load(), { signal: controller.signal })
    setTimeout(() => controller.abort())
    assert.isTrue(Exit.hasInterrupts(await running))
    assert.strictEqual(interrupted, 1)
    await runtime.dispose()
  })
})

describe("layerTest", () => {
  const test = (values: Parameters<typeof Page.layerTest>[0]) =>
    Effect.provide(Effect.exit(Page.load({ userId: 1 })), Page.layerTest(values))

  it.effect("loads what is given: values, effects, functions of either", () =>
    Effect.gen(function* () {
      const both = { user: "a", greeting: "b" }
      assert.deepStrictEqual(yield* yield* test(both), both)
      assert.deepStrictEqual(yield* yield* test({ user: Effect.succeed("a"), greeting: () => "b" }), both)
      assert.deepStrictEqual(yield* yield* test({ user: () => Effect.succeed("a"), greeting: () => "b" }), both)
      const exit = yield* test({ user: Effect.fail(new NotFound({ id: 9 })), greeting: "b" })
      assert.isTrue(Exit.isFailure(exit) && Cause.pretty(exit.cause).includes("NotFound"))
    })
  )

  it.effect("a resource that is not given dies and says its name, unless only what is given needed it", () =>
    Effect.gen(function* () {
      const exit = yield* test({ user: "a" })
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      const message = Exit.isFailure(exit) ? Cause.pretty(exit.cause) : ""
      assert.include(message, 'resource "greeting" is not given to the test layer of "app/Page"')
      class Only extends Loader.Service<Only>()("app/Only", { greeting }) {}
      const only = Only.load({ userId: 1 }).pipe(Effect.provide(Only.layerTest({ greeting: "spared" })))
      assert.deepStrictEqual(yield* only, { greeting: "spared" })
    })
  )

  it.effect("keeps the options: a timeout of the loader is one in tests, too", () =>
    Effect.gen(function* () {
      class Timed extends Loader.Service<Timed>()("app/Timed", { user }, { timeout: 50, policy: Policy.timeout(20) }) {}
      const load = Timed.load({ userId: 1 }).pipe(Effect.provide(Timed.layerTest({ user: Effect.never })))
      const error = yield* withTime(Effect.flip(load))
      assert.strictEqual(error._tag === "ResourceError" && error.error._tag, "TimeoutError")
    })
  )
})

describe("under many callers", () => {
  it.live("nothing is left behind when some of them go away", () =>
    Effect.gen(function* () {
      let open = 0
      let most = 0
      const lease = Resource.make("lease", {
        load: () =>
          Effect.acquireRelease(
            Effect.sync(() => (most = Math.max(most, ++open))),
            () => Effect.sync(() => open--)
          )
      })
      const work = Resource.make("work", {
        deps: { lease, userId },
        load: ({ userId }) => Effect.as(Effect.sleep(userId % 7), userId)
      }).pipe(Policy.retry({ times: 1 }))
      class Busy extends Loader.Service<Busy>()("app/Busy", { work }, { concurrency: 1 }) {}
      const calls = Effect.forEach(
        Array.from({ length: 1000 }, (_, i) => i),
        (i) => {
          const call = Effect.scoped(Busy.load({ userId: i }))
          return Effect.exit(i % 3 === 0 ? Effect.asVoid(Effect.timeoutOption(call, i % 5)) : Effect.asVoid(call))
        },
        { concurrency: "unbounded" }
      )
      const exits = yield* calls.pipe(Effect.provide(Busy.layer))
      assert.strictEqual(exits.filter(Exit.isSuccess).length, 1000)
      assert.isAbove(most, 100)
      assert.strictEqual(open, 0)
    })
  )
})
