import type { Outcome, PhaseTag, Report, ResourceReport } from "../watch/Report.ts"
import { headline } from "./Headline.ts"
import { millis } from "./Millis.ts"
import { noteOf, signs } from "./OutcomeText.ts"
import { pad, padBefore, type Paint, type Pen, plainPen } from "./Pen.ts"
import { printable } from "./Printable.ts"

/**
 * The size of a waterfall.
 *
 * - `columns`: the maximal width. Default 80, at least 40.
 * - `rows`: the maximal number of resources. Resources that did not succeed or have not ended come first, then the slowest ones. A
 *   last line counts the others. Default: all of them.
 *
 * @since 0.1.0
 * @category models
 */
export interface WaterfallOptions {
  readonly columns?: number
  readonly rows?: number
}

/** The character of each phase. The wait for dependencies is blank. */
const glyphs: Record<PhaseTag, string> = {
  Dependency: " ",
  Batch: "▒",
  Slot: "░",
  Permit: "▞",
  FairShare: "▚",
  Thread: "·",
  Collecting: "▖",
  Attempt: "█",
  Items: "█",
  Fallback: "▓",
  Retry: "┄",
  Policy: "═",
  Compensation: "◄"
}

const legends: ReadonlyArray<readonly [PhaseTag, string]> = [
  ["Slot", "waits for a slot"],
  ["Permit", "waits for a permit"],
  ["FairShare", "waits for its share of a limiter"],
  ["Batch", "waits for its batch"],
  ["Thread", "waits for the thread"],
  ["Collecting", "waits for the call that it shares"],
  ["Retry", "before a retry"],
  ["Fallback", "fallback"],
  ["Policy", "in its policies"],
  ["Compensation", "is undone"]
]

const paints: Record<Outcome["_tag"], Paint> = {
  Succeeded: "good",
  Degraded: "warn",
  Failed: "bad",
  Died: "bad",
  Interrupted: "warn",
  Skipped: "quiet",
  Compensated: "warn",
  CompensationFailed: "bad",
  Unfinished: "wait"
}

/** Below this width, notes have a line of their own. */
const narrow = 72

/** The widths of the parts of a line. */
interface Layout {
  readonly columns: number
  readonly name: number
  readonly bar: number
  readonly time: number
  /** The width that is left for notes; 0 if they have a line of their own. */
  readonly note: number
}

/** The texts of a resource, before the layout is known. */
interface Row {
  readonly report: ResourceReport
  readonly name: string
  readonly time: string
  readonly note: string
}

const toRow = (report: ResourceReport, until: number): Row => ({
  report,
  name: printable(report.resource),
  time: report.startedAt === undefined ? "" : millis((report.endedAt ?? until) - report.startedAt),
  note: noteOf(report)
})

const widest = (pen: Pen, texts: ReadonlyArray<string>): number =>
  texts.reduce((most, text) => Math.max(most, pen.width(text)), 0)

const layOut = (rows: ReadonlyArray<Row>, columns: number, pen: Pen): Layout => {
  const name = Math.min(
    widest(
      pen,
      rows.map((row) => row.name)
    ),
    Math.max(8, Math.floor(columns * 0.3))
  )
  const time = widest(
    pen,
    rows.map((row) => row.time)
  )
  const rest = columns - name - time - 4
  const longest = widest(
    pen,
    rows.map((row) => row.note)
  )
  const note = columns < narrow || longest === 0 ? 0 : Math.min(longest, Math.floor(rest * 0.45))
  return { columns, name, time, note, bar: rest - (note === 0 ? 0 : note + 2) }
}

/** The longest phase of a resource in each column of its bar. */
const cellsOf = (
  { attempts, endedAt, phases, startedAt }: ResourceReport,
  report: Report<unknown>,
  bar: number
): string => {
  const duration = report.until - report.startedAt
  const cells = Array.from({ length: bar }, () => " ")
  const columnOf = (at: number): number =>
    duration === 0 ? 0 : Math.min(bar - 1, Math.max(0, Math.floor(((at - report.startedAt) / duration) * bar)))
  const most = new Float64Array(bar)
  const column = duration / bar
  for (const { _tag, from, to } of phases) {
    if (_tag === "Dependency") continue
    // A wait that is shorter than a column is not drawn, wherever the borders of the columns are.
    const isShort = !isRunning(glyphs[_tag]) && _tag !== "Compensation" && to - from < column
    for (let k = columnOf(from); k <= columnOf(to) && !isShort; k++) {
      const start = report.startedAt + k * column
      const overlap = Math.min(to, start + column) - Math.max(from, start)
      if (overlap > most[k]!) {
        most[k] = overlap
        cells[k] = glyphs[_tag]
      }
    }
  }
  // A resource that ran is always visible, even if it was short. Refused and cached resources did not run.
  const ran = startedAt !== undefined && attempts > 0
  if (ran && !cells.some((cell) => isRunning(cell))) cells[columnOf(startedAt)] = glyphs.Attempt
  if (startedAt !== undefined && endedAt === undefined) cells[bar - 1] = "▶"
  return cells.join("")
}

const isRunning = (cell: string): boolean => cell === glyphs.Attempt || cell === glyphs.Fallback

const drawRow = (row: Row, cells: string, layout: Layout, pen: Pen): ReadonlyArray<string> => {
  const { outcome } = row.report
  const paint = paints[outcome._tag]
  const sign = pen.paint(paint, signs[outcome._tag])
  const bar = pen.paint(paint, cells)
  const line = `${sign} ${pad(pen, row.name, layout.name)} ${bar} ${padBefore(pen, row.time, layout.time)}`
  if (row.note === "") return [line.trimEnd()]
  if (layout.note > 0) return [`${line}  ${pen.paint(paint, pen.fit(row.note, layout.note))}`]
  return [line.trimEnd(), `    ${pen.paint(paint, pen.fit(row.note, layout.columns - 4))}`]
}

const isUnwell = ({ outcome }: ResourceReport): boolean => outcome._tag !== "Succeeded" && outcome._tag !== "Skipped"

const tookOf = ({ endedAt, startedAt }: ResourceReport, until: number): number =>
  startedAt === undefined ? -1 : (endedAt ?? until) - startedAt

/** The resources to draw, in the order of the report. */
const choose = ({ resources, until }: Report<unknown>, rows: number): ReadonlySet<ResourceReport> =>
  new Set(
    resources
      .toSorted((a, b) => Number(isUnwell(b)) - Number(isUnwell(a)) || tookOf(b, until) - tookOf(a, until))
      .slice(0, rows)
  )

const tellOthers = (others: ReadonlyArray<ResourceReport>): ReadonlyArray<string> => {
  if (others.length === 0) return []
  const counts = new Map<Outcome["_tag"], number>()
  for (const { outcome } of others) counts.set(outcome._tag, (counts.get(outcome._tag) ?? 0) + 1)
  const each = Array.from(counts, ([tag, count]) => `${signs[tag]} ${count} ${tag.toLowerCase()}`)
  return [`and ${others.length} more: ${each.join(", ")}`]
}

/** The legend of the waiting phases that occur. */
const legendOf = (bars: ReadonlyArray<string>): string =>
  legends
    .flatMap(([tag, text]) => (bars.some((bar) => bar.includes(glyphs[tag])) ? [`${glyphs[tag]} ${text}`] : []))
    .join("  ")

const axisOf = (duration: number, { bar, name }: Layout): string => {
  const end = millis(duration)
  const room = bar - 1 - end.length
  return duration === 0 || room < 4 ? "" : `${" ".repeat(name + 3)}0${" ".repeat(room)}${end}`
}

/** A waterfall, drawn with a pen. */
export const draw = (report: Report<unknown>, options: WaterfallOptions, pen: Pen): string => {
  const columns = Math.max(40, Math.floor(options.columns ?? 80))
  const chosen = choose(report, options.rows ?? Infinity)
  const rows = report.resources.flatMap((row) => (chosen.has(row) ? [toRow(row, report.until)] : []))
  const layout = layOut(rows, columns, pen)
  const bars = rows.map((row) => cellsOf(row.report, report, layout.bar))
  const quietly = rows.length === 0 ? [] : [axisOf(report.until - report.startedAt, layout)]
  const below = [...tellOthers(report.resources.filter((row) => !chosen.has(row))), legendOf(bars)]
  return [
    pen.paint("title", pen.fit(headline(report), columns)),
    ...quietly.filter((line) => line !== "").map((line) => pen.paint("quiet", line)),
    ...rows.flatMap((row, k) => drawRow(row, bars[k]!, layout, pen)),
    ...below.filter((line) => line !== "").map((line) => pen.paint("quiet", pen.fit(line, columns)))
  ].join("\n")
}

/**
 * A report as text: one line for each resource, with a bar of its phases, its time and its outcome.
 *
 * It has no colours, and assumes that every character is one column wide. `@effect-loader/terminal` has a `toWaterfall` that uses
 * the width and the colours of the terminal, and the real widths of characters. See {@link WaterfallOptions}.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Report, Resource } from "effect-loader"
 *
 * const org = Resource.make("org", { load: () => Effect.as(Effect.sleep("10 millis"), "acme") })
 * const members = Resource.make("members", { deps: { org }, load: () => Effect.sleep("20 millis") })
 *
 * const report = Loader.settle(Loader.make({ members }))
 * Effect.runPromise(report).then((report) => console.log(Report.toWaterfall(report, { columns: 60 })))
 * ```
 *
 * @since 0.1.0
 * @category printing
 */
export const toWaterfall = (self: Report<unknown>, options: WaterfallOptions = {}): string =>
  draw(self, options, plainPen)
