/** What a live view shows of runs at one instant: pure, so that it can be looked at without a terminal. */
import type { Report } from "effect-loader"
import {
  count,
  headline,
  loadedOf,
  millis,
  noteOf,
  pad,
  type Paint,
  type Pen,
  printableLabel,
  type ResourceTimeline,
  signs,
  type Timeline
} from "effect-loader/internal"

export interface Size {
  readonly columns: number
  readonly rows: number
}

/** One line about a resource that is worth one. */
interface Active {
  readonly sign: string
  readonly paint: Paint
  readonly name: string
  readonly text: string
  /** The smaller, the sooner it is shown where there is no room for all. */
  readonly order: number
}

const since = (from: number, now: number): string => millis(Math.max(0, now - from))

const activeOf = (resource: ResourceTimeline, now: number): Active | undefined => {
  const { attempts, doing, items, outcome, resource: name, retryAt } = resource
  const line = (sign: string, paint: Paint, order: number, text: string): Active => ({
    sign,
    paint,
    name: printableLabel(name),
    text,
    order
  })
  if (doing === undefined) {
    if (outcome._tag !== "Failed" && outcome._tag !== "Died") return undefined
    return line(signs[outcome._tag], "bad", 0, noteOf({ outcome, attempts, phases: [] }))
  }
  const tried = attempts > 1 ? `, attempt ${attempts}` : ""
  switch (doing._tag) {
    case "Attempt":
      return line("▶", "wait", 1, `${since(doing.from, now)}${tried}`)
    case "Items":
      return line(
        "▶",
        "wait",
        1,
        `${since(doing.from, now)}, ${items?.loaded} of ${count(items?.total ?? 0, "item")} loaded`
      )
    case "Fallback":
      return line("▶", "warn", 1, `${since(doing.from, now)} in its fallback`)
    case "Policy":
      return line("▶", "wait", 1, `${since(doing.from, now)} in its policies`)
    case "Compensation":
      return line(signs.Compensated, "warn", 1, `${since(doing.from, now)} is undone`)
    case "Retry":
      return line("↻", "warn", 2, `attempt ${attempts + 1} in ${millis(Math.max(0, (retryAt ?? now) - now))}`)
    case "Slot":
      return line("░", "quiet", 3, `waits for a slot, ${since(doing.from, now)}`)
    case "Permit":
      return line("░", "quiet", 3, `waits for a permit, ${since(doing.from, now)}`)
    case "FairShare":
      return line("░", "quiet", 3, `waits for its share, ${since(doing.from, now)}`)
    case "Collecting":
      return line("▖", "quiet", 3, `waits for the call that it shares, ${since(doing.from, now)}`)
    case "Batch":
      return line("▒", "quiet", 4, `waits for its batch, ${since(doing.from, now)}`)
    default:
      return undefined
  }
}

const doneOf = (timelines: ReadonlyArray<ResourceTimeline>): number =>
  timelines.filter(({ endedAt }) => endedAt !== undefined).length

const titleOf = (timeline: Timeline, now: number): string => {
  const resources = Array.from(timeline.resources.values())
  return `"${printableLabel(timeline.loader)}" ${since(timeline.startedAt, now)}, ${doneOf(resources)} of ${resources.length} done`
}

/** Those of the lines that matter most, in their own order, and how many there are beside. */
const fitRows = (active: ReadonlyArray<Active>, rows: number): readonly [ReadonlyArray<Active>, number] => {
  if (active.length <= rows) return [active, 0]
  const shown = new Set(active.toSorted((a, b) => a.order - b.order).slice(0, Math.max(0, rows - 1)))
  return [active.filter((line) => shown.has(line)), active.length - shown.size]
}

const frameOfRun = (timeline: Timeline, now: number, { columns, rows }: Size, pen: Pen): ReadonlyArray<string> => {
  const active = Array.from(timeline.resources.values()).flatMap((resource) => activeOf(resource, now) ?? [])
  const [shown, others] = fitRows(active, rows - 1)
  const width = Math.min(
    Math.floor(columns * 0.4),
    shown.reduce((most, { name }) => Math.max(most, pen.width(name)), 0)
  )
  return [
    pen.paint("title", pen.fit(titleOf(timeline, now), columns)),
    ...shown.map(({ name, paint, sign, text }) =>
      pen.paint(paint, pen.fit(`  ${sign} ${pad(pen, name, width)}  ${text}`, columns).trimEnd())
    ),
    ...(others === 0 ? [] : [pen.paint("quiet", pen.fit(`  and ${others} more`, columns))])
  ]
}

/** What is to be seen of these runs now. The rows are shared between the runs; what has no room is counted. */
export const toFrame = (timelines: ReadonlyArray<Timeline>, now: number, size: Size, pen: Pen): string => {
  const most = Math.max(1, Math.floor((size.rows - 1) / 2))
  const shown = timelines.slice(0, most)
  const others = timelines.length - shown.length
  const each = Math.max(1, Math.floor((size.rows - (others === 0 ? 0 : 1)) / Math.max(1, shown.length)))
  return [
    ...shown.flatMap((timeline) => frameOfRun(timeline, now, { columns: size.columns, rows: each }, pen)),
    ...(others === 0 ? [] : [pen.paint("quiet", pen.fit(`and ${others} more runs`, size.columns))])
  ].join("\n")
}

/** Whether a resource is worth a line at the end of its run: it did not end well, or was in flight when time was over. */
const isUnwell = ({ outcome }: Report.ResourceReport, { end }: Report.Report<unknown>): boolean =>
  outcome._tag === "Interrupted" ? end === "TimedOut" : outcome._tag !== "Succeeded" && outcome._tag !== "Skipped"

/** What stays of a run when it is over: how it ended, and a line for each resource that did not end well. */
export const toEnding = (timeline: Timeline, columns: number, pen: Pen): string => {
  const report = timeline.report()
  const [loaded, all] = loadedOf(report)
  const well = report.end === "Completed" && loaded === all
  const title = `${headline(report)}, ${loaded} of ${all} loaded`
  const unwell = report.resources.filter((row) => isUnwell(row, report))
  return [
    pen.paint(well ? "good" : "bad", pen.fit(`${well ? signs.Succeeded : signs.Failed} ${title}`, columns)),
    ...unwell.map((row) => {
      const paint = row.outcome._tag === "Degraded" ? "warn" : "bad"
      return pen.paint(
        paint,
        pen.fit(`  ${signs[row.outcome._tag]} ${printableLabel(row.resource)}  ${noteOf(row)}`, columns)
      )
    })
  ].join("\n")
}
