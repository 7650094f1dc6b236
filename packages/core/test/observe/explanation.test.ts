/** Predictions of runs, summaries, and comparisons of two runs. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schedule } from "effect"
import { Diff, Explanation, Loader, Observer, Policy, Report, Resource, type RunEvent } from "effect-loader"
import { TestClock } from "effect/testing"
import fc from "fast-check"
import { observe } from "../laws/observe.ts"
import { scenario, toLoader } from "../laws/Scenario.ts"
import { withTime } from "../withTime.ts"

const sleeper = (name: string, millis: number, deps: Record<string, Resource.Any> = {}) =>
  Resource.make(name, { deps, load: () => Effect.sleep(millis) })

const a = sleeper("a", 20)
const b = sleeper("b", 200)
const c = sleeper("c", 180, { a })
const d = sleeper("d", 20, { b })
const targets = { c, d }
const expected = { a: 20, b: "200 millis", c: 180, d: 20 } as const

const lines = (text: string): ReadonlyArray<string> => text.split("\n")

describe("Loader.explain", () => {
  it("bounds the time of a run, eager and batched, with any concurrency", { timeout: 120_000 }, () =>
    fc.assert(
      fc.asyncProperty(scenario, fc.boolean(), async (given, inBatches) => {
        const tasks = given.tasks.map((task) => ({ ...task, ends: "well" as const, failures: 0 }))
        const sound = { ...given, tasks, failFast: false, interruptAt: undefined }
        const options = { scheduling: inBatches ? "batched" : "eager" } as const
        const names = new Set(Loader.plan(toLoader(sound, options)).resources.map(({ name }) => name))
        const durations = tasks.flatMap(({ duration }, i) => (names.has(String(i)) ? [[String(i), duration]] : []))
        const { atLeast, atMost } = Loader.explain(toLoader(sound, options), {
          expected: Object.fromEntries(durations)
        })
        const { events } = await observe(sound, (self) => self, options)
        const took = events.at(-1)!.at - events[0]!.at
        assert.isAtLeast(took, atLeast - 0.001)
        assert.isAtMost(took, atMost + 0.001)
        assert.isAtMost(atLeast, atMost + 0.001)
      }),
      { numRuns: 1000 }
    )
  )

  it("shows the plan, the expected times, and the resources without one, as text", () => {
    const page = Loader.make(targets, { name: "page", concurrency: 2 })
    assert.deepStrictEqual(lines(Explanation.toText(Loader.explain(page, { expected }))), [
      'plan of "page": 4 resources in 2 batches, concurrency 2',
      "  1  a",
      "     b",
      "  2  c <- a",
      "     d <- b",
      "takes between 220ms and 320ms",
      "  critical path  220ms  b > d",
      "  work           420ms"
    ])
    const batched = Loader.make(targets, { name: "page", scheduling: "batched", timeout: "2 seconds" })
    assert.deepStrictEqual(lines(Explanation.toText(Loader.explain(batched, { expected: { a: 20, b: 200 } }))), [
      'plan of "page": 4 resources in 2 batches, timeout 2s, batch after batch',
      "  1  a",
      "     b",
      "  2  c <- a",
      "     d <- b",
      "takes 200ms",
      "  critical path  200ms  b",
      "  work           220ms",
      "  no expected time for: c, d"
    ])
    assert.notInclude(Explanation.toText(Loader.explain(page)), "takes 0")
    assert.deepStrictEqual(page.pipe(Loader.explain({ expected })), Loader.explain(page, { expected }))
  })

  it.effect("uses earlier runs in which a resource had a value; given times take precedence", () =>
    Effect.gen(function* () {
      const millis = Resource.input<number>()("millis")
      const org = Resource.make("org", {
        deps: { millis },
        load: ({ millis }) => Effect.andThen(Effect.sleep(millis), millis > 1000 ? Effect.fail("slow") : Effect.void)
      })
      const page = Loader.make({ org })
      const reports: Array<Report.Report<unknown>> = []
      for (const millis of [10, 40, 20, 5000]) reports.push(yield* withTime(Loader.settle(page, { millis })))
      assert.deepStrictEqual(Loader.explain(page, { reports }).expected, { org: 20 })
      assert.deepStrictEqual(Loader.explain(page, { reports: reports.slice(0, 2) }).expected, { org: 25 })
      assert.deepStrictEqual(Loader.explain(page, { reports, expected: { org: 7 } }).expected, { org: 7 })
    })
  )

  it("rejects invalid times, and names their resources", () => {
    const page = Loader.make({ a }, { name: "page" })
    assert.throws(
      () => Loader.explain(page, { expected: { a: 1, A: 1, b: 2 } }),
      'Loader.explain: the plan of "page" loads no resource named "A", "b"'
    )
    assert.throws(
      () => Loader.explain(page, { expected: { a: "Infinity" } }),
      'Loader.explain: "a" is expected to take Infinity, which is no finite duration'
    )
  })
})

describe("Report.toSummary", () => {
  it.effect("shows the time of a run, the shortest possible time, and the waits that delayed it", () =>
    Effect.gen(function* () {
      const batched = yield* withTime(Loader.settle(Loader.make(targets, { name: "page", scheduling: "batched" })))
      assert.deepStrictEqual(lines(Report.toSummary(batched)), [
        '"page" took 380ms, 4 of 4 loaded',
        "  work      420ms, 1.1 at once on average",
        "  at least  220ms: the critical path, b > d",
        "  gap       160ms: waited 180ms for batches on the way a > c"
      ])
      const single = yield* withTime(Loader.settle(Loader.make(targets, { name: "page", concurrency: 1 })))
      assert.deepStrictEqual(lines(Report.toSummary(single)), [
        '"page" took 420ms, 4 of 4 loaded',
        "  work      420ms, 1.0 at once on average",
        "  at least  420ms: 420ms of work at concurrency 1"
      ])
    })
  )

  it.effect("names the resources in flight of a run that was cut short or is in progress", () =>
    Effect.gen(function* () {
      const page = Loader.make(targets, { name: "page", timeout: 210 })
      const { report } = yield* withTime(Loader.loadWithReport(page))
      assert.deepStrictEqual(lines(Report.toSummary(report)), [
        '"page" was out of time after 210ms, 3 of 4 loaded',
        "  in flight d",
        "  work      410ms, 2.0 at once on average",
        "  at least  210ms: the critical path, b > d"
      ])
      const events: Array<RunEvent.RunEvent> = []
      const load = Loader.load(page).pipe(Observer.observe((event) => events.push(event)))
      const fiber = yield* Effect.forkChild(load, { startImmediately: true })
      yield* TestClock.adjust(50)
      const partial = Report.fromEvents(events, { now: events[0]!.at + 50 })!
      assert.match(Report.toSummary(partial), /^"page" has run for 50ms, 1 of 4 loaded\n {2}in flight c, b\n/)
      yield* Fiber.interrupt(fiber)
      assert.match(Report.toSummary(Report.fromEvents(events)!), /^"page" was interrupted after 50ms/)
    })
  )

  it.effect("shortens long paths, and escapes names that terminals would act on", () =>
    Effect.gen(function* () {
      let last: Resource.Any = sleeper("first\n\u001b[31m", 1)
      for (let i = 1; i < 40; i++) last = sleeper(`r${i}`, 1, { last })
      const { report } = yield* withTime(Loader.loadWithReport(Loader.make({ last }) as Loader.Loader<unknown>))
      const text = Report.toSummary(report)
      assert.include(text, "first\\n\\u{1b}[31m > r1 > ")
      assert.include(text, "r10 > ... 28 more ... > r39")
      assert.lengthOf(lines(text), 3)
    })
  )
})

describe("Report.diff", () => {
  it.effect("compares two runs by resource, and shows what got slower and in which phase", () =>
    Effect.gen(function* () {
      let attempts = 0
      const make = (options: { readonly org: number; readonly fails: number; readonly concurrency: number }) => {
        attempts = 0
        const org = Resource.make("org", {
          load: () =>
            Effect.andThen(
              Effect.sleep(options.org),
              Effect.suspend(() => (attempts++ < options.fails ? Effect.fail("busy") : Effect.void))
            )
        }).pipe(Policy.retry({ times: 2, schedule: Schedule.spaced(30) }))
        const members = sleeper("members", 60, { org })
        const side = sleeper("side", 100)
        return Loader.make({ members, side }, { name: "page", concurrency: options.concurrency })
      }
      const before = yield* withTime(Loader.settle(make({ org: 10, fails: 0, concurrency: 2 })))
      const after = yield* withTime(Loader.settle(make({ org: 40, fails: 1, concurrency: 1 })))
      const diff = Report.diff(before, after)
      assert.deepStrictEqual(
        diff.resources.map(({ by, change, resource }) => [resource, change, by]),
        [
          ["org", 170, { Attempt: 70, Retry: 30, Slot: 70 }],
          ["side", 40, { Slot: 40 }],
          ["members", 0, { Dependency: 170 }]
        ]
      )
      assert.deepStrictEqual(lines(Diff.toText(diff)), [
        '"page" took 100ms, then 240ms (+140ms)',
        "  org     +170ms  +70ms running, +30ms between attempts, +70ms waiting for a slot",
        "  side     +40ms  +40ms waiting for a slot",
        "  1 more as before"
      ])
    })
  )

  it.effect("shows resources that are new, missing, or have another outcome", () =>
    Effect.gen(function* () {
      const fails = Resource.make("a", { load: () => Effect.andThen(Effect.sleep(5), Effect.fail("down")) })
      const before = yield* withTime(Loader.settle(Loader.make({ a, gone: sleeper("gone", 10) })))
      const after = yield* withTime(Loader.settle(Loader.make({ a: fails, fresh: sleeper("fresh", 7) })))
      assert.deepStrictEqual(lines(Diff.toText(Report.diff(before, after))), [
        '"anonymous" took 20ms, then 7.0ms (-13ms)',
        "  a         -15ms  Succeeded -> Failed, -15ms running",
        "  gone      -10ms  gone, -10ms running",
        "  fresh    +7.0ms  new, +7.0ms running"
      ])
      assert.deepStrictEqual(lines(Diff.toText(Report.diff(after, after))), [
        '"anonymous" took 7.0ms, then 7.0ms (+0.0ms)',
        "  2 more as before"
      ])
    })
  )
})
