/** Traces for other viewers, checked by the rules of the Trace Event Format. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { Loader, Policy, Report, Resource } from "effect-loader"
import fc from "fast-check"
import { golden } from "../golden.ts"
import { observe } from "../laws/observe.ts"
import { scenario } from "../laws/Scenario.ts"
import { withTime } from "../withTime.ts"

interface Event {
  readonly name: string
  readonly ph: string
  readonly pid: number
  readonly tid: number
  readonly ts?: number
  readonly dur?: number
  readonly id?: number
  readonly s?: string
  readonly args?: Readonly<Record<string, unknown>>
}

const parse = (text: string): ReadonlyArray<Event> => JSON.parse(text).traceEvents

/** The rules: known phases, whole times, slices of a lane nested or disjoint, arrows with both ends in slices. */
const assertValid = (events: ReadonlyArray<Event>): void => {
  const slices = events.filter(({ ph }) => ph === "X")
  for (const { dur, name, ph, pid, s, tid, ts } of events) {
    assert.include(["X", "i", "M", "s", "f"], ph)
    assert.isString(name)
    assert.isTrue(Number.isInteger(pid) && Number.isInteger(tid))
    if (ph !== "M") assert.isTrue(Number.isInteger(ts) && ts! >= 0, `${name} has a whole time`)
    if (ph === "X") assert.isTrue(Number.isInteger(dur) && dur! > 0, `${name} takes time`)
    if (ph === "i") assert.include(["g", "p", "t"], s)
  }
  for (const a of slices) {
    for (const b of slices) {
      if (a === b || a.pid !== b.pid || a.tid !== b.tid) continue
      const [from, to] = [Math.max(a.ts!, b.ts!), Math.min(a.ts! + a.dur!, b.ts! + b.dur!)]
      if (from >= to) continue
      const inner = a.dur! <= b.dur! ? a : b
      assert.deepStrictEqual(
        [from, to],
        [inner.ts, inner.ts! + inner.dur!],
        `${a.name} and ${b.name} are nested or apart`
      )
    }
  }
  const arrows = events.filter(({ ph }) => ph === "s" || ph === "f")
  for (const arrow of arrows) {
    assert.lengthOf(
      arrows.filter(({ id }) => id === arrow.id),
      2
    )
    const ends = slices.filter(
      ({ dur, pid, tid, ts }) => pid === arrow.pid && tid === arrow.tid && ts! <= arrow.ts! && arrow.ts! < ts! + dur!
    )
    assert.isNotEmpty(ends, "an arrow begins and ends in slices")
  }
}

describe("Report.toChromeTrace", () => {
  it(
    "follows the rules of the format, in as few lanes as possible, for every generated run",
    { timeout: 120_000 },
    () =>
      fc.assert(
        fc.asyncProperty(scenario, async (given) => {
          const { events } = await observe(given)
          const cut = events.slice(0, Math.ceil(events.length / 2))
          for (const report of [Report.fromEvents(events)!, Report.fromEvents(cut)!]) {
            const trace = parse(Report.toChromeTrace(report))
            assertValid(trace)
            const ran = report.resources.filter(({ startedAt }) => startedAt !== undefined)
            const whole = trace.filter(({ args, ph }) => ph === "X" && args?.["outcome"] !== undefined)
            assert.sameMembers(
              whole.map(({ name }) => name),
              ran.map(({ resource }) => resource)
            )
            const atOnce = whole.map(
              (slice) => whole.filter(({ dur, ts }) => ts! <= slice.ts! && slice.ts! < ts! + dur!).length
            )
            const lanes = new Set(whole.map(({ tid }) => tid)).size
            assert.strictEqual(lanes, Math.max(0, ...atOnce))
            const skips = report.resources.filter(({ outcome }) => outcome._tag === "Skipped")
            assert.lengthOf(
              trace.filter(({ ph }) => ph === "i"),
              skips.length
            )
          }
        }),
        { numRuns: 500 }
      )
  )

  const page = () => {
    let attempts = 0
    const org = Resource.make("org", { load: () => Effect.sleep(100) })
    const members = Resource.make("members", { deps: { org }, load: () => Effect.sleep(60) })
    const flaky = Resource.make("flaky", {
      load: () =>
        Effect.andThen(
          Effect.sleep(20),
          Effect.suspend(() => (++attempts < 2 ? Effect.fail("busy") : Effect.void))
        )
    }).pipe(Policy.retry({ times: 1, schedule: Schedule.spaced(50) }))
    const bad = Resource.make('</script>"\n\u001b', { load: () => Effect.fail("down") })
    const below = Resource.make("below", { deps: { bad }, load: () => Effect.void })
    return Loader.make({ members, flaky, below }, { name: "page", concurrency: 2 })
  }

  it.effect("shows attempts, pauses, waits, skips and dependencies", () =>
    Effect.gen(function* () {
      const report = yield* withTime(Loader.settle(page()))
      const { run, ...rest } = report
      const text = Report.toChromeTrace({ ...rest, run: 1 })
      assert.isAbove(run, 0)
      assertValid(parse(text))
      assert.notInclude(text, "</script>")
      const lines = parse(text).map((event) => JSON.stringify(event))
      yield* golden("chrome-trace.ndjson", `${lines.join("\n")}\n`)
    })
  )

  it.effect("shows several runs as several processes, from the start of the first run", () =>
    Effect.gen(function* () {
      const first = yield* withTime(Loader.settle(page()))
      const second = yield* withTime(Loader.settle(page()))
      const trace = parse(Report.toChromeTrace([first, second]))
      assertValid(trace)
      assert.deepStrictEqual(Array.from(new Set(trace.map(({ pid }) => pid))), [1, 2])
      assert.deepStrictEqual(parse(Report.toChromeTrace([])), [])
      const starts = trace.flatMap(({ name, ts }) => (name === "load page" ? [ts] : []))
      assert.strictEqual(starts[0], 0)
    })
  )
})
