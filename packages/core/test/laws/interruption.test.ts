/** Interruption at every step leaves nothing behind, and every resource ends exactly once. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Schedule } from "effect"
import { Loader, Policy, Resource, RunEvent } from "effect-loader"
import { Interruption, Ledger } from "effect-loader/testing"

const ledger = Ledger.make()

/** Something that takes a while to use, and a while to let go of. */
const using = Ledger.use(ledger, "used", Effect.ensuring(Effect.sleep(10), Effect.sleep(1)))

const page = (options: Loader.Options) => {
  let attempts = 0
  const connection = Resource.make("connection", {
    load: () => Effect.as(Ledger.hold(ledger, "connection"), "connection")
  })
  const session = Resource.make("session", { deps: { connection }, load: () => Ledger.hold(ledger, "session") })
  const org = Resource.make("org", { deps: { session }, load: () => Effect.as(using, "org") })
  const flaky = Resource.make("flaky", {
    load: () =>
      Effect.andThen(
        Effect.andThen(Ledger.hold(ledger, "flaky"), using),
        Effect.suspend(() => (++attempts < 3 ? Effect.fail("busy") : Effect.succeed("ok")))
      )
  }).pipe(Policy.retry({ times: 3, schedule: Schedule.spaced("5 millis") }), Policy.timeout("1 minute"))
  const bad = Resource.make("bad", { deps: { org }, load: () => Effect.andThen(using, Effect.fail("bad")) })
  const handled = bad.pipe(Resource.catch(() => Effect.as(using, "fallback")))
  const all = Resource.struct("all", { org, flaky, handled })
  const last = Resource.make("last", { deps: { all }, load: () => using })
  return Loader.make({ last, all }, { timeout: "1 hour", ...options })
}

const endsOf = (events: ReadonlyArray<RunEvent.RunEvent>): Record<string, number> => {
  const counts: Record<string, number> = { connection: 0, session: 0, org: 0, flaky: 0, bad: 0, all: 0, last: 0 }
  for (const event of events) if (RunEvent.isResourceEnded(event)) counts[event.resource]!++
  return counts
}

const once = { connection: 1, session: 1, org: 1, flaky: 1, bad: 1, all: 1, last: 1 }

const setups: ReadonlyArray<Loader.Options> = [
  {},
  { concurrency: 1 },
  { scheduling: "batched" },
  { scheduling: "batched", concurrency: 2 }
]

const assertEndedOnce = (events: ReadonlyArray<RunEvent.RunEvent>): void => {
  assert.deepStrictEqual(endsOf(events), once)
  assert.strictEqual(events.at(-1)?._tag, "RunEnded")
}

describe.each(setups)("interrupted at every step (%j)", (options) => {
  const modes = {
    load: (loader: ReturnType<typeof page>) => Effect.asVoid(Loader.load(loader)),
    settle: (loader: ReturnType<typeof page>) => Effect.asVoid(Loader.settle(loader))
  }

  it.effect.each(["load", "settle"] as const)("a %s closes what it opened, and ends every resource once", (mode) =>
    Effect.gen(function* () {
      const run = (probed: Interruption.Probe) => modes[mode](probed(page(options)))
      const events = yield* Interruption.atEveryEvent(run, {
        ledger,
        check: ({ events, exit }, k) => {
          assertEndedOnce(events)
          if (events.length > k + 1) assert.isTrue(Exit.hasInterrupts(exit))
        }
      })
      assert.isAbove(events, 20)
      const check = ({ events }: Interruption.Trial<unknown, unknown>) => assertEndedOnce(events)
      assert.strictEqual(yield* Interruption.atEveryEntry(run, { ledger, check }), 9)
      assert.isAbove(yield* Interruption.atEveryInstant(run, { ledger, check }), 9)
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
