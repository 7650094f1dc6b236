/** Queries on recorded runs, and recorded runs as text. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Schedule } from "effect"
import { Loader, Policy, Resource } from "effect-loader"
import { Fake, RunLog, VirtualTime } from "effect-loader/testing"

const recorded = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.map(VirtualTime.run(RunLog.record(self)), ({ events }) => events)

const org = Fake.delay("org", 40, "acme")
const user = Fake.delay("user", 15, "ada")
const members = Fake.fail("members", "down", { deps: { org, user }, takes: 5 })
const mails = Fake.delay("mails", 5, [], { deps: { members } })
const page = Loader.make({ user, mails }, { name: "page" })

describe("queries", () => {
  it.effect("find resources that started, ended and ran before others, at the same time, and never", () =>
    Effect.gen(function* () {
      const events = yield* recorded(Loader.load(page))
      assert.deepStrictEqual(RunLog.starts(events), { org: 0, user: 0, members: 40 })
      assert.isTrue(RunLog.startedBefore(events, "user", "members"))
      assert.isFalse(RunLog.startedBefore(events, "members", "user"))
      assert.isFalse(RunLog.startedBefore(events, "mails", "members"), "what never started is before nothing")
      assert.isTrue(RunLog.endedBefore(events, "org", "members"))
      assert.isFalse(RunLog.endedBefore(events, "org", "user"))
      assert.isTrue(RunLog.overlapped(events, "org", "user"))
      assert.isFalse(RunLog.overlapped(events, "org", "members"))
      assert.isTrue(RunLog.neverRan(events, "mails"))
      assert.isFalse(RunLog.neverRan(events, "members"))
      assert.strictEqual(RunLog.skippedBecause(events, "mails"), "members")
      assert.isUndefined(RunLog.skippedBecause(events, "members"))
      assert.strictEqual(RunLog.outcome(events, "members")?._tag, "Failed")
      assert.isUndefined(RunLog.outcome(events, "nobody"))
    })
  )

  it.effect("name the tag of the reason if the reason is not a resource", () =>
    Effect.gen(function* () {
      const late = Loader.make({ late: Fake.delay("late", 0, 1, { deps: { org } }) }, { timeout: 10 })
      assert.strictEqual(RunLog.skippedBecause(yield* recorded(Loader.settle(late)), "late"), "RunTimedOut")
    })
  )

  it.effect("count concurrent attempts and fallback handlers, not pauses and waits", () =>
    Effect.gen(function* () {
      const flaky = Fake.fail("flaky", "busy", { takes: 10 }).pipe(
        Policy.retry({ times: 1, schedule: Schedule.spaced(100) }),
        Resource.catch(() => Effect.sleep(50))
      )
      const targets = { flaky, a: Fake.delay("a", 20, 1), b: Fake.delay("b", 20, 1), c: Fake.delay("c", 300, 1) }
      const events = yield* recorded(Loader.load(Loader.make(targets, { concurrency: 2 })))
      assert.strictEqual(RunLog.maxConcurrency(events), 2)
      assert.strictEqual(RunLog.maxConcurrency(events, ["a", "b"]), 2)
      assert.strictEqual(RunLog.maxConcurrency(events, ["a", "c"]), 1)
      const free = yield* recorded(Loader.load(Loader.make(targets)))
      assert.strictEqual(RunLog.maxConcurrency(free), 4)
      const list = Resource.forEach("list", { items: () => [10, 20, 30], load: (millis) => Effect.sleep(millis) })
      assert.strictEqual(RunLog.maxConcurrency(yield* recorded(Loader.load(Loader.make({ list })))), 3)
      assert.strictEqual(RunLog.maxConcurrency(free, ["flaky"]), 1)
      assert.strictEqual(RunLog.attempts(free, "flaky"), 2)
    })
  )

  it.effect("use all recorded events, or those of one run", () =>
    Effect.gen(function* () {
      const inner = Loader.make({ user })
      const outer = Loader.make({ whole: Resource.make("whole", { load: () => Loader.load(inner) }) })
      const events = yield* recorded(Effect.andThen(Loader.load(outer), Loader.load(inner)))
      assert.strictEqual(RunLog.attempts(events, "user"), 2)
      assert.deepStrictEqual(
        RunLog.runs(events).map((run) => RunLog.starts(run)),
        [{ whole: 0 }, { user: 0 }, { user: 0 }]
      )
      assert.isTrue(RunLog.overlapped(events, "whole", "user"))
      assert.strictEqual(RunLog.outcome(events, "user")?._tag, "Succeeded")
    })
  )
})

describe("a timeline", () => {
  it.effect("shows when each resource ran, and its outcome", () =>
    Effect.gen(function* () {
      const events = yield* recorded(
        Effect.andThen(Loader.settle(page), Effect.timeoutOption(Loader.load(Loader.make({ org }, { name: "org" })), 7))
      )
      assert.strictEqual(
        RunLog.timeline(events),
        [
          '"page" took 45ms',
          "✓ user     0-15",
          "✓ org      0-40",
          "✗ members  40-45  down",
          "- mails           skipped because of members",
          "",
          '"org" was interrupted after 7.0ms',
          "× org  0-7  interrupted"
        ].join("\n")
      )
      assert.strictEqual(
        RunLog.timeline(events.slice(0, 4)),
        '"page" has run for 0.0ms\n… user     0-  runs\n… org          waits for the thread\n… members      waits for org\n… mails        waits for members'
      )
      assert.strictEqual(RunLog.timeline([]), "")
    })
  )
})

describe("fakes", () => {
  it.effect("replace declared resources: they succeed, fail, die, hang, and fail first", () =>
    Effect.gen(function* () {
      const real = Resource.make("real", { load: (): Effect.Effect<number> => Effect.die("not in tests") })
      const one = Loader.make({ real })
      const outcome = <A, E>(loader: Loader.Loader<A, E>) =>
        Effect.map(
          recorded(Effect.timeoutOption(Effect.exit(Loader.load(loader)), "1 hour")),
          (events) => RunLog.outcome(events, "real")?._tag
        )
      assert.strictEqual(yield* outcome(Loader.override(one, real, Fake.delay(real, 5, 7))), "Succeeded")
      assert.strictEqual(yield* outcome(Loader.override(one, real, Fake.fail(real, "down"))), "Failed")
      assert.strictEqual(yield* outcome(Loader.override(one, real, Fake.die(real, "bug"))), "Died")
      assert.strictEqual(yield* outcome(Loader.override(one, real, Fake.hang(real))), "Interrupted")
      const flaky = Fake.failTimes(real, 2, "busy", 7, { takes: 3 }).pipe(Policy.retry({ times: 2 }))
      const loaded = VirtualTime.run(
        Effect.zip(Loader.load(Loader.override(one, real, flaky)), Clock.currentTimeMillis)
      )
      assert.deepStrictEqual(yield* loaded, [{ real: 7 }, 9])
    })
  )
})

describe("virtual time", () => {
  it.effect("wakes sleeping fibers in order, also with promises in between", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const step = (name: string, millis: number) =>
        Effect.andThen(
          Effect.sleep(millis),
          Effect.sync(() => log.push(name))
        )
      const tick = Effect.promise(() => Promise.resolve())
      const program = Effect.all(
        [step("late", 30), Effect.andThen(tick, step("early", 10)), Effect.andThen(step("then", 20), step("last", 20))],
        { concurrency: "unbounded" }
      )
      yield* VirtualTime.run(program)
      assert.deepStrictEqual(log, ["early", "then", "late", "last"])
    })
  )
})
