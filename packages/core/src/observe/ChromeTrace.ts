import type { Phase, PhaseTag, Report, ResourceReport } from "../watch/Report.ts"
import { timeIn } from "../watch/Timeline.ts"
import { jsonText } from "./JsonText.ts"
import { noteOf } from "./OutcomeText.ts"
import { snakeCase } from "./Words.ts"

/**
 * One event of the Trace Event Format; times are whole microseconds since the first of the reports began.
 *
 * https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
 */
interface TraceEvent {
  readonly name: string
  readonly ph: "X" | "i" | "M" | "s" | "f"
  readonly pid: number
  readonly tid: number
  readonly ts?: number
  readonly dur?: number
  readonly cat?: string
  readonly id?: number
  readonly s?: "p"
  readonly bp?: "e"
  readonly args?: Readonly<Record<string, unknown>>
}

/** The slice of a resource, or of its compensation: its lane, its beginning and its end, in microseconds. */
interface TraceSlice {
  readonly undo: boolean
  readonly row: ResourceReport
  readonly lane: number
  readonly from: number
  readonly to: number
}

/** The lane of the run itself and of resources that never ran. Other resources have the lanes after it. */
const runLane = 0

/** The phases that are drawn inside a resource, with its attempts. */
const words: Partial<Record<PhaseTag, string>> = {
  Slot: "waits for a slot",
  Permit: "waits for a permit",
  FairShare: "waits for its share of a limiter",
  Collecting: "waits for the call that it shares",
  Retry: "before a retry",
  Fallback: "fallback",
  Policy: "in its policies"
}

const phaseName = (phase: Phase): string | undefined =>
  phase._tag === "Attempt" ? `attempt ${phase.attempt}` : words[phase._tag]

const waits: ReadonlyArray<readonly [string, PhaseTag]> = [
  ["waited for dependencies (ms)", "Dependency"],
  ["waited for its batch (ms)", "Batch"],
  ["waited for slots (ms)", "Slot"],
  ["waited for permits (ms)", "Permit"],
  ["waited for its share of a limiter (ms)", "FairShare"],
  ["waited for the call that it shares (ms)", "Collecting"],
  ["waited for the thread (ms)", "Thread"],
  ["waited to try again (ms)", "Retry"]
]

const argsOf = (row: ResourceReport, dependencies: ReadonlyArray<string>): Record<string, unknown> => {
  const note = noteOf(row)
  const waited = waits.flatMap(([name, tag]) => {
    const ms = timeIn(row.phases, [tag])
    return ms === 0 ? [] : [[name, Math.round(ms * 1000) / 1000]]
  })
  return {
    outcome: snakeCase(row.outcome._tag),
    attempts: row.attempts,
    ...(note === "" ? {} : { note }),
    ...(dependencies.length === 0 ? {} : { dependencies }),
    ...Object.fromEntries(waited)
  }
}

const undoOf = (row: ResourceReport, from: number, to: number) => ({
  row,
  undo: true,
  from,
  to: Math.max(from + 1, to)
})

/** Gives every resource that ran the first free lane: there are as many lanes as concurrent resources. */
const placesOf = (report: Report<unknown>, micros: (at: number) => number): ReadonlyArray<TraceSlice> => {
  const freeFrom: Array<number> = []
  return report.resources
    .flatMap((row) => {
      if (row.startedAt === undefined) return []
      const from = micros(row.startedAt)
      // A slice is at least one microsecond wide, so that it is visible, and no other slice has its place.
      const whole = { row, undo: false, from, to: Math.max(from + 1, micros(row.endedAt ?? report.until)) }
      const undone = row.phases.filter(({ _tag }) => _tag === "Compensation")
      return [whole, ...undone.map((phase) => undoOf(row, micros(phase.from), micros(phase.to)))]
    })
    .sort((a, b) => a.from - b.from)
    .map(({ from, row, to, undo }) => {
      const free = freeFrom.findIndex((at) => at <= from)
      const lane = free < 0 ? freeFrom.length : free
      freeFrom[lane] = to
      return { row, undo, from, to, lane: lane + runLane + 1 }
    })
}

const sliceOf = (
  pid: number,
  { from, lane, row, to, undo }: TraceSlice,
  dependencies: ReadonlyArray<string>,
  micros: (at: number) => number
): ReadonlyArray<TraceEvent> => {
  const cat = snakeCase(row.outcome._tag)
  if (undo) {
    // A resource can be loaded again after its compensation.
    const undone = row.outcome._tag === "CompensationFailed" ? cat : "compensated"
    return [{ name: `undo ${row.resource}`, ph: "X", pid, tid: lane, ts: from, dur: to - from, cat: undone }]
  }
  const whole = { name: row.resource, ph: "X", pid, tid: lane, ts: from, dur: to - from, cat } as const
  const isOne = row.phases.every(({ _tag }) => _tag === "Attempt" || words[_tag] === undefined) && row.attempts < 2
  const inside = isOne ? [] : row.phases
  return [
    { ...whole, args: argsOf(row, dependencies) },
    ...inside.flatMap((phase): ReadonlyArray<TraceEvent> => {
      const name = phaseName(phase)
      const [start, end] = [Math.max(from, micros(phase.from)), Math.min(to, micros(phase.to))]
      if (name === undefined || end <= start) return []
      return [{ name, ph: "X", pid, tid: lane, ts: start, dur: end - start, cat: snakeCase(phase._tag) }]
    })
  ]
}

/** Arrows from the dependencies of a resource to the resource. */
const arrowsOf = (
  pid: number,
  places: ReadonlyMap<string, TraceSlice>,
  dependencies: (resource: string) => ReadonlyArray<string>,
  nextId: () => number
): ReadonlyArray<TraceEvent> =>
  Array.from(places.values()).flatMap((place) =>
    dependencies(place.row.resource).flatMap((name): ReadonlyArray<TraceEvent> => {
      const source = places.get(name)
      if (source === undefined || source.to > place.from) return []
      const common = { name: "dependency", cat: "dependency", pid, id: nextId() }
      return [
        { ...common, ph: "s", tid: source.lane, ts: source.to - 1 },
        { ...common, ph: "f", bp: "e", tid: place.lane, ts: place.from }
      ]
    })
  )

const named = (name: string, pid: number, tid: number, args: Record<string, unknown>): TraceEvent => ({
  name,
  ph: "M",
  pid,
  tid,
  args
})

const eventsOf = (
  report: Report<unknown>,
  pid: number,
  origin: number,
  nextId: () => number
): ReadonlyArray<TraceEvent> => {
  const micros = (at: number): number => Math.round((at - origin) * 1000)
  const placed = placesOf(report, micros)
  const places = new Map(placed.flatMap((place) => (place.undo ? [] : [[place.row.resource, place] as const])))
  const needs = new Map(report.plan.resources.map(({ dependencies, name }) => [name, dependencies]))
  const dependencies = (resource: string): ReadonlyArray<string> => needs.get(resource) ?? []
  const lanes = placed.reduce((most, { lane }) => Math.max(most, lane), runLane)
  const from = micros(report.startedAt)
  const to = micros(report.until)
  const end = report.end === undefined ? "unfinished" : snakeCase(report.end)
  const run = { name: `load ${report.loader}`, ph: "X", pid, tid: runLane, ts: from, cat: "run" } as const
  return [
    named("process_name", pid, runLane, { name: `${report.loader}, run ${report.run}` }),
    named("thread_name", pid, runLane, { name: "run" }),
    ...Array.from({ length: lanes }, (_, k) => named("thread_name", pid, k + 1, { name: `lane ${k + 1}` })),
    { ...run, dur: Math.max(1, to - from), args: { end } },
    ...placed.flatMap((place) => sliceOf(pid, place, dependencies(place.row.resource), micros)),
    ...report.resources.flatMap((row): ReadonlyArray<TraceEvent> => {
      if (row.outcome._tag !== "Skipped") return []
      const args = argsOf(row, dependencies(row.resource))
      const ts = micros(row.endedAt ?? report.until)
      return [{ name: `${row.resource} skipped`, ph: "i", s: "p", pid, tid: runLane, ts, cat: "skipped", args }]
    }),
    ...arrowsOf(pid, places, dependencies, nextId)
  ]
}

/**
 * One or several reports as JSON in Chrome's Trace Event Format, which Perfetto (https://ui.perfetto.dev), speedscope
 * (https://www.speedscope.app) and `chrome://tracing` open.
 *
 * Each run is a process. Its first lane shows the run, the others show its resources, in as many lanes as resources ran at once.
 * A resource contains its attempts and the phases between them; arrows lead to it from its dependencies; a resource that never
 * ran is a mark. Its waits are in its details. A resource that has not ended is drawn up to the last instant of the report.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Report, Resource } from "effect-loader"
 *
 * const org = Resource.make("org", { load: () => Effect.succeed("acme") })
 * const report = Effect.runSync(Loader.settle(Loader.make({ org }, { name: "page" })))
 *
 * const { traceEvents } = JSON.parse(Report.toChromeTrace(report))
 * console.log(traceEvents.some(({ name }: { name: string }) => name === "org")) // true
 * ```
 *
 * @since 0.1.0
 * @category printing
 */
export const toChromeTrace = (self: Report<unknown> | ReadonlyArray<Report<unknown>>): string => {
  const reports: ReadonlyArray<Report<unknown>> = "resources" in self ? [self] : self
  const origin = reports.reduce((first, { startedAt }) => Math.min(first, startedAt), Infinity)
  let ids = 0
  const traceEvents = reports.flatMap((report, k) => eventsOf(report, k + 1, origin, () => ++ids))
  return jsonText({ displayTimeUnit: "ms", traceEvents })
}
