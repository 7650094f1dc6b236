/** Lists in choices in loaders, generated four deep, against a naive model that imports nothing from the library. */
import { Effect } from "effect"
import { Loader, Observer, type Report, RunEvent } from "effect-loader"
import { Interruption } from "effect-loader/testing"
import { TestClock } from "effect/testing"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Fate, type NestedGraph, settleNest } from "./NaiveNest.ts"
import { type Held, nestedGraph, toNestedLoader } from "./Nest.ts"
import { withTime } from "../withTime.ts"

const depth = 4

const runTest = <A, E>(self: Effect.Effect<A, E>): Promise<A> =>
  Effect.runPromise(withTime(self).pipe(Effect.provide(TestClock.layer())))

const tagOf = ({ outcome }: Report.ResourceReport): Fate["_tag"] | "Other" => {
  if (outcome._tag === "Skipped") return outcome.because._tag === "NotChosen" ? "NotChosen" : "Skipped"
  return outcome._tag === "Succeeded" || outcome._tag === "Failed" ? outcome._tag : "Other"
}

const tagsOf = (report: Report.Report<unknown>) =>
  Object.fromEntries(report.resources.map((row) => [row.resource, tagOf(row)]))

const settled = async (graph: NestedGraph, options: Parameters<typeof toNestedLoader>[1]) => {
  const events: Array<RunEvent.RunEvent> = []
  const settle = Loader.settle(toNestedLoader(graph, options), { x: 0 })
  const report = await runTest(Observer.observe(settle, (event) => events.push(event)))
  return { report, events }
}

/** Checks that no run ever has more attempts than its limit, those of loaders inside its resources included. */
const checkLimits = (events: ReadonlyArray<RunEvent.RunEvent>): number => {
  const limits = new Map<number, number>()
  const around = new Map<number, number>()
  const frames = new Set<string>()
  const running = new Map<number, number>()
  let checks = 0
  const count = (run: number, by: number): void => {
    for (let at: number | undefined = run; at !== undefined; at = around.get(at)) {
      const now = (running.get(at) ?? 0) + by
      running.set(at, now)
      expect(now).toBeLessThanOrEqual(limits.get(at)!)
      checks++
    }
  }
  const open = new Map<string, number>()
  for (const event of events) {
    if (event._tag === "RunStarted") {
      limits.set(event.run, event.plan.concurrency ?? Infinity)
      // An item holds its own slot, whatever it runs inside; a loader that is a resource holds none.
      if (event.parent !== undefined && event.parent.item === undefined) around.set(event.run, event.parent.run)
      for (const { kind, name } of event.plan.resources) if (kind === "loader") frames.add(`${event.run} ${name}`)
    }
    if (!("resource" in event) || frames.has(`${event.run} ${event.resource}`)) continue
    const key = `${event.run} ${event.resource} ${"item" in event ? event.item : ""}`
    if (event._tag === "AttemptStarted") {
      open.set(key, 1)
      count(event.run, 1)
    } else if (open.has(key) && event._tag !== "ResourceQueued") {
      open.delete(key)
      count(event.run, -1)
    }
  }
  expect(open.size).toBe(0)
  return checks
}

/** Checks that each run begins and ends once, and each of its resources ends once, with nothing after it. */
const checkComplete = (events: ReadonlyArray<RunEvent.RunEvent>): void => {
  for (const run of new Set(events.map((event) => event.run))) {
    const own = events.filter((event) => event.run === run)
    const [first] = own
    if (first?._tag !== "RunStarted") return expect.fail("a run begins with RunStarted")
    expect(own.at(-1)?._tag).toBe("RunEnded")
    for (const { kind, name } of first.plan.resources) {
      if (kind === "input" || kind === "constant") continue
      const of = own.filter((event) => "resource" in event && event.resource === name)
      expect(of.filter((event) => RunEvent.isResourceEnded(event))).toHaveLength(1)
      expect(RunEvent.isResourceEnded(of.at(-1)!)).toBe(true)
    }
  }
}

describe("generated nested graphs", () => {
  it("end as the model says, and when, where nothing limits them", { timeout: 300_000 }, () =>
    fc.assert(
      fc.asyncProperty(nestedGraph(depth), async (graph) => {
        const { report } = await settled(graph, { limited: false })
        const expected = settleNest(graph, 0, 0)
        const actual = report.resources.flatMap((row) => {
          const n = Number(row.resource.slice(1))
          const tag = tagOf(row)
          return [
            [n, tag === "NotChosen" ? { tag } : { tag, at: Math.round(row.endedAt! - report.startedAt) }]
          ] as const
        })
        const model = Array.from(expected, ([n, fate]) => [
          n,
          fate._tag === "NotChosen" ? { tag: fate._tag } : { tag: fate._tag, at: fate.at }
        ])
        expect(Object.fromEntries(actual)).toEqual(Object.fromEntries(model))
        for (const n of graph.targets) {
          const fate = expected.get(n)!
          expect(report.values[`t${n}`]).toEqual(fate._tag === "Succeeded" ? fate.value : undefined)
        }
      }),
      { numRuns: 1500, timeout: 10_000 }
    )
  )

  it("load equal values under every limit and in batches, and keep to their limits", { timeout: 300_000 }, () =>
    fc.assert(
      fc.asyncProperty(nestedGraph(depth), fc.constantFrom("eager", "batched"), async (graph, scheduling) => {
        const free = await settled(graph, { limited: false })
        const limited = await settled(graph, { limited: true, scheduling: scheduling as "eager" | "batched" })
        expect(limited.report.values).toEqual(free.report.values)
        expect(tagsOf(limited.report)).toEqual(tagsOf(free.report))
        checkLimits(limited.events)
        checkComplete(limited.events)
        checkComplete(free.events)
      }),
      { numRuns: 1000, timeout: 10_000 }
    )
  )

  it("cannot deadlock where every limit is 1", { timeout: 300_000 }, () =>
    fc.assert(
      fc.asyncProperty(nestedGraph(depth), async (graph) => {
        const one = (inner: NestedGraph): NestedGraph => ({
          ...inner,
          limit: 1,
          nodes: inner.nodes.map((node) =>
            "inner" in node && node.inner !== undefined ? { ...node, inner: one(node.inner) } : node
          ) as NestedGraph["nodes"]
        })
        const { events, report } = await settled(one(graph), { limited: true })
        expect(report.end).toBe("Completed")
        checkLimits(events)
      }),
      { numRuns: 700, timeout: 10_000 }
    )
  )

  it(
    "leave nothing running and nothing open, whenever they are interrupted: what was acquired is released once",
    { timeout: 300_000 },
    () =>
      fc.assert(
        fc.asyncProperty(nestedGraph(2), async (graph) => {
          let open = 0
          let held: Held = []
          const counted = (event: RunEvent.RunEvent): void => {
            if (event._tag === "RunStarted") open++
            if (event._tag === "RunEnded") open--
          }
          const program = Interruption.atEveryEvent(
            () => {
              held = []
              const load = Effect.scoped(Loader.load(toNestedLoader(graph, { limited: true, held }), { x: 0 }))
              return Observer.observe(Effect.exit(load), counted)
            },
            {
              check: ({ events }) =>
                Effect.sync(() => {
                  expect(open).toBe(0)
                  expect(held.every((releases) => releases === 1)).toBe(true)
                  checkComplete(events)
                })
            }
          )
          await Effect.runPromise(program.pipe(Effect.provide(TestClock.layer())))
        }),
        { numRuns: 60, timeout: 60_000 }
      )
  )
})
