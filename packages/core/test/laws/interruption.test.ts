/** Interruption at every step leaves nothing behind, and every resource ends exactly once. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Schedule } from "effect"
import { Loader, Policy, Resource, type RunEvent } from "effect-loader"
import { Interruption } from "effect-loader/testing"
import { TestClock } from "effect/testing"

/** Counts what is open, so that a test can see what was left behind. */
class World {
  open = 0
  opened = 0
  readonly using = Effect.acquireUseRelease(
    Effect.sync(() => {
      this.open++
      this.opened++
    }),
    () => Effect.sleep(10),
    () =>
      Effect.andThen(
        Effect.sleep(1),
        Effect.sync(() => this.open--)
      )
  )
  readonly acquired = Effect.acquireRelease(
    Effect.sync(() => {
      this.open++
      this.opened++
    }),
    () => Effect.sync(() => this.open--)
  )
}

const page = (world: World, options: Loader.Options) => {
  let attempts = 0
  const connection = Resource.make("connection", { load: () => Effect.as(world.acquired, "connection") })
  const org = Resource.make("org", { deps: { connection }, load: () => Effect.as(world.using, "org") })
  const flaky = Resource.make("flaky", {
    load: () =>
      Effect.andThen(
        world.using,
        Effect.suspend(() => (++attempts < 3 ? Effect.fail("busy") : Effect.succeed("ok")))
      )
  }).pipe(Policy.retry({ times: 3, schedule: Schedule.spaced("5 millis") }), Policy.timeout("1 minute"))
  const bad = Resource.make("bad", { deps: { org }, load: () => Effect.andThen(world.using, Effect.fail("bad")) })
  const handled = bad.pipe(Resource.catch(() => Effect.as(world.using, "fallback")))
  const all = Resource.struct("all", { org, flaky, handled })
  const last = Resource.make("last", { deps: { all }, load: () => world.using })
  return Loader.make({ last, all }, { timeout: "1 hour", ...options })
}

const ends: ReadonlyArray<RunEvent.RunEvent["_tag"]> = [
  "ResourceSucceeded",
  "ResourceDegraded",
  "ResourceFailed",
  "ResourceDied",
  "ResourceInterrupted",
  "ResourceSkipped"
]

const endsOf = (events: ReadonlyArray<RunEvent.RunEvent>): Record<string, number> => {
  const counts: Record<string, number> = { connection: 0, org: 0, flaky: 0, bad: 0, all: 0, last: 0 }
  for (const event of events) if ("resource" in event && ends.includes(event._tag)) counts[event.resource]!++
  return counts
}

const once = { connection: 1, org: 1, flaky: 1, bad: 1, all: 1, last: 1 }

const setups: ReadonlyArray<Loader.Options> = [
  {},
  { concurrency: 1 },
  { scheduling: "batched" },
  { scheduling: "batched", concurrency: 2 }
]

describe.each(setups)("interrupted at every event (%j)", (options) => {
  it.effect.each(["load", "settle"] as const)("a %s closes what it opened, and ends every resource once", (mode) =>
    Effect.gen(function* () {
      let world = new World()
      const run = () => {
        world = new World()
        const loader = page(world, options)
        return Effect.scoped(
          mode === "load" ? Effect.asVoid(Loader.load(loader)) : Effect.asVoid(Loader.settle(loader))
        )
      }
      const runs = yield* Interruption.atEveryEvent(run, {
        whileRunning: TestClock.adjust("1 day"),
        check: ({ events, exit }, k) =>
          Effect.sync(() => {
            assert.strictEqual(world.open, 0, `after an interruption at event ${k}`)
            assert.deepStrictEqual(endsOf(events), once)
            assert.strictEqual(events.at(-1)?._tag, "RunEnded")
            if (events.length > k + 1) assert.isTrue(Exit.hasInterrupts(exit))
          })
      })
      assert.isAbove(runs, 20)
    })
  )

  it.effect("at every instant", () =>
    Effect.gen(function* () {
      for (let at = 0; at < 80; at++) {
        const world = new World()
        const fiber = yield* Effect.forkChild(Effect.scoped(Loader.load(page(world, options))), {
          startImmediately: true
        })
        yield* TestClock.adjust(at)
        const interrupting = yield* Effect.forkChild(Fiber.interrupt(fiber), { startImmediately: true })
        yield* TestClock.adjust("1 day")
        yield* Fiber.join(interrupting)
        assert.strictEqual(world.open, 0, `after an interruption at ${at}ms`)
      }
    })
  )
})

describe("an interrupted load", () => {
  it.effect("carries what its finalizers died with beside the interruption", () =>
    Effect.gen(function* () {
      const bad = Resource.make("bad", { load: () => Effect.ensuring(Effect.never, Effect.die("finalizer")) })
      for (const scheduling of ["eager", "batched"] as const) {
        const fiber = yield* Effect.forkChild(Loader.load(Loader.make({ bad }, { scheduling })), {
          startImmediately: true
        })
        yield* Fiber.interrupt(fiber)
        const exit = yield* Fiber.await(fiber)
        assert.isTrue(Exit.hasInterrupts(exit))
        assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      }
    })
  )
})

describe("scopes", () => {
  it.effect("a failed attempt's scope is closed at once, a successful one's with the caller's, in reverse order", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      let attempts = 0
      const opened = (name: string) =>
        Effect.acquireRelease(
          Effect.sync(() => log.push(`+${name}`)),
          () => Effect.sync(() => log.push(`-${name}`))
        )
      const flaky = Resource.make("flaky", {
        load: () =>
          Effect.andThen(
            opened(`flaky${++attempts}`),
            Effect.suspend(() => (attempts < 2 ? Effect.fail("busy") : Effect.void))
          )
      }).pipe(Policy.retry({ times: 1 }))
      const next = Resource.make("next", { deps: { flaky }, load: () => opened("next") })
      yield* Effect.scoped(
        Effect.andThen(
          Loader.load(Loader.make({ next })),
          Effect.sync(() => log.push("loaded"))
        )
      )
      assert.deepStrictEqual(log, ["+flaky1", "-flaky1", "+flaky2", "+next", "loaded", "-next", "-flaky2"])
    })
  )
})
