/** Waterfalls: their look, and that no line is wider than its columns. */
import { assert, describe, it } from "@effect/vitest"
import { Data, Effect, Fiber, Layer, Schedule } from "effect"
import { Limiter, Loader, Observer, Policy, Report, Resource, ResourceCache, type RunEvent } from "effect-loader"
import { TestClock } from "effect/testing"
import fc from "fast-check"
import { golden } from "../golden.ts"
import { observe } from "../laws/observe.ts"
import { scenario } from "../laws/Scenario.ts"
import { withTime } from "../withTime.ts"
import { assertDrawn } from "./assertDrawn.ts"

class NotFound extends Data.TaggedError("NotFound")<{ readonly id: string }> {}

const goldenWaterfall = (name: string, text: string) => golden(`waterfall-${name}.txt`, `${text}\n`)

const wait = (name: string, millis: number, deps: Record<string, Resource.Any> = {}) =>
  Resource.make(name, { deps, load: () => Effect.sleep(millis) })

const org = wait("org", 100)
const user = wait("user", 40)
const avatar = Resource.make("avatar", {
  deps: { user },
  load: () => Effect.andThen(Effect.sleep(20), Effect.fail(new NotFound({ id: "ada" })))
}).pipe(Resource.catch(() => Effect.sleep(30)))
const members = wait("members", 60, { org })
const flaky = () => {
  let attempts = 0
  return Resource.make("flaky", {
    load: () =>
      Effect.andThen(
        Effect.sleep(25),
        Effect.suspend(() => (++attempts < 3 ? Effect.fail("busy") : Effect.void))
      )
  }).pipe(Policy.retry({ times: 3, schedule: Schedule.spaced(30) }))
}
const bad = Resource.make("bad", { load: () => Effect.fail("down") }).pipe(Policy.retry({ times: 1 }))
const dying = Resource.make("dying", { load: () => Effect.die(new Error("a bug\nwith lines")) })
const blocked = Resource.make("blocked", { deps: { bad }, load: () => Effect.void })
const hanging = Resource.make("hanging", { load: () => Effect.never })
const never = Resource.make("never", { deps: { hanging }, load: () => Effect.void })

describe("Report.toWaterfall", () => {
  it.effect("draws when each resource ran, and shows its outcome", () =>
    Effect.gen(function* () {
      const report = yield* withTime(Loader.settle(Loader.make({ members, avatar, flaky: flaky() }, { name: "page" })))
      yield* goldenWaterfall("small", Report.toWaterfall(report))
      yield* goldenWaterfall("narrow", Report.toWaterfall(report, { columns: 40 }))
      yield* goldenWaterfall("wide", Report.toWaterfall(report, { columns: 200 }))
    })
  )

  it.effect("draws no running phase for refused and cached resources", () =>
    Effect.gen(function* () {
      class Full extends Limiter.Service<Full>()("Full") {}
      class Known extends ResourceCache.Service<Known>()("Known") {}
      const refused = wait("refused", 10).pipe(Policy.limit(Full), Policy.retry({ times: 0 }))
      const deps = { refused: refused.pipe(Resource.option) }
      const cached = Resource.make("cached", { deps, key: () => "cached", load: () => Effect.succeed(1) }).pipe(
        Policy.cache(Known)
      )
      const loader = Loader.make({ refused, cached, ran: wait("ran", 100, deps) }, { name: "page" })
      const program = Effect.gen(function* () {
        yield* Loader.load(Loader.make({ cached }))
        yield* Effect.forkChild(Full.withPermit(Effect.sleep(200)), { startImmediately: true })
        return yield* Loader.settle(loader)
      })
      const layer = Layer.merge(Full.layer({ limit: 1, queue: { max: 0 } }), Known.layer({ timeToLive: "1 hour" }))
      const report = yield* withTime(Effect.provide(program, layer))
      assert.strictEqual(Report.get(report, "refused")?.attempts, 0)
      const drawn = Report.toWaterfall(report)
        .split("\n")
        .filter((line) => /[█▓]/.test(line))
      assert.deepStrictEqual(
        drawn.map((line) => line.split(" ")[1]),
        ["ran"]
      )
    })
  )

  it.effect("draws waits for slots and batches, and runs that fail or time out", () =>
    Effect.gen(function* () {
      const targets = { members, avatar, bad, dying, blocked, never, flaky: flaky() }
      const timedOut = yield* withTime(Loader.settle(Loader.make(targets, { name: "page", timeout: 200 })))
      yield* goldenWaterfall("timed-out", Report.toWaterfall(timedOut))
      yield* goldenWaterfall("timed-out-narrow", Report.toWaterfall(timedOut, { columns: 50 }))
      const limited = Loader.make({ members, avatar, user2: wait("user2", 70) }, { name: "page", concurrency: 1 })
      yield* goldenWaterfall("limited", Report.toWaterfall(yield* withTime(Loader.settle(limited))))
      const batched = Loader.make({ members, avatar }, { name: "page", scheduling: "batched" })
      yield* goldenWaterfall("batched", Report.toWaterfall(yield* withTime(Loader.settle(batched))))
      const failing = Resource.make("failing", {
        deps: { user },
        load: () => Effect.andThen(Effect.sleep(30), Effect.fail(new NotFound({ id: "x" })))
      })
      const { report } = yield* withTime(Loader.loadWithReport(Loader.make({ failing, members }, { name: "page" })))
      yield* goldenWaterfall("failing", Report.toWaterfall(report))
    })
  )

  it.effect("shows the current phase of each resource of a run in progress", () =>
    Effect.gen(function* () {
      const events: Array<RunEvent.RunEvent> = []
      const targets = { members, flaky: flaky(), never, user, last: wait("last", 10) }
      const load = Loader.load(Loader.make(targets, { name: "page", concurrency: 3 }))
      const fiber = yield* Effect.forkChild(
        Observer.observe(load, (event) => events.push(event)),
        { startImmediately: true }
      )
      yield* TestClock.adjust(130)
      yield* goldenWaterfall("partial", Report.toWaterfall(Report.fromEvents(events, { now: 130 })!))
      yield* Fiber.interrupt(fiber)
      yield* goldenWaterfall("interrupted", Report.toWaterfall(Report.fromEvents(events)!))
      assert.isUndefined(Report.fromEvents([]))
    })
  )

  it.effect("draws 500 resources, or the most important of them", () =>
    Effect.gen(function* () {
      const many = Array.from({ length: 500 }, (_, i) =>
        i % 120 === 7
          ? Resource.make(`r${i}`, {
              load: () => Effect.andThen(Effect.sleep(i), Effect.fail(new NotFound({ id: `${i}` })))
            })
          : wait(`r${i}`, (i * 37) % 211)
      )
      const targets = Object.fromEntries(many.map((resource) => [resource.name, resource]))
      const loader = Loader.make(targets, { name: "many", concurrency: 50 })
      const report = yield* withTime(Loader.settle(loader as Loader.Loader<Record<string, unknown>>))
      for (const columns of [40, 80, 200]) {
        const all = Report.toWaterfall(report, { columns })
        assert.isAtLeast(all.split("\n").length, 502)
        assert.isAtMost(Math.max(...all.split("\n").map((line) => line.length)), columns)
        yield* goldenWaterfall(`500-at-${columns}`, Report.toWaterfall(report, { columns, rows: 12 }))
      }
    })
  )

  it("draws every resource once, within the columns, for every generated run", { timeout: 120_000 }, () =>
    fc.assert(
      fc.asyncProperty(scenario, fc.integer({ min: 40, max: 200 }), async (given, columns) => {
        const { events } = await observe(given)
        const cut = events.slice(0, 1 + (columns % events.length))
        for (const report of [Report.fromEvents(events)!, Report.fromEvents(cut)!]) {
          assertDrawn(report, Report.toWaterfall(report, { columns }), columns, (line) => line.length)
        }
      }),
      { numRuns: 500 }
    )
  )

  it("draws empty bars for a run that took no time", () => {
    const report = Effect.runSync(Loader.settle(Loader.make({ a: Resource.succeed("a", 1) })))
    assert.match(Report.toWaterfall(report), /^"anonymous" took 0\.\dms$/)
  })
})
