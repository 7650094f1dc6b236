import { Cause, Duration } from "effect"
import { describe, ResourceError } from "../model/ResourceError.ts"
import type { Outcome, Report, ResourceReport } from "../run/Report.ts"

const symbols = {
  Succeeded: "✓",
  Degraded: "~",
  Failed: "✗",
  Died: "!",
  Interrupted: "×",
  Skipped: "-",
  Unfinished: "…"
} satisfies Record<Outcome["_tag"], string>

const firstLine = (text: string): string => text.split("\n", 1)[0]!

/** The row names the resource and its attempts already, so of a `ResourceError` only the error inside is told. */
const showCause = (cause: Cause.Cause<unknown>): string => {
  const failure = cause.reasons.find(Cause.isFailReason)?.error
  if (failure instanceof ResourceError) return firstLine(describe(failure.error))
  const [error] = Cause.prettyErrors(cause)
  return error === undefined ? "" : firstLine(error.message)
}

const why = (outcome: Outcome): string => {
  switch (outcome._tag) {
    case "Degraded":
      return `fell back (${outcome.fallback})`
    case "Failed":
    case "Died":
      return showCause(outcome.cause)
    case "Interrupted":
      return "interrupted"
    case "Skipped":
      return "resource" in outcome.because
        ? `skipped because of ${outcome.because.resource}`
        : outcome.because._tag === "RunTimedOut"
          ? "skipped, the time was over"
          : "skipped, the run was interrupted"
    case "Unfinished":
      return "still running"
    case "Succeeded":
      return ""
  }
}

/** Where instants are on a line of so many columns. */
interface Scale {
  readonly width: number
  /** The last instant: what ends there, or has not ended, goes to the edge. */
  readonly end: number
  /** How long a column is. */
  readonly column: number
  readonly columnOf: (at: number) => number
}

/** Where a resource's bar is: from when it was ready, lightly, then from its first attempt to its end. */
const bar = ({ endedAt, readyAt, startedAt }: ResourceReport, { column, columnOf, end, width }: Scale): string => {
  if (startedAt === undefined) return " ".repeat(width)
  const start = columnOf(startedAt)
  // A wait that is shorter than a column is none to see, wherever the columns' borders happen to be.
  const ready = readyAt !== undefined && startedAt - readyAt >= column ? columnOf(readyAt) : start
  const edge = endedAt === undefined || endedAt >= end ? width : Math.max(columnOf(endedAt), start + 1)
  return `${" ".repeat(ready)}${"░".repeat(start - ready)}${"█".repeat(edge - start)}`.padEnd(width)
}

const millis = (ms: number): string =>
  ms < 10 ? `${ms.toFixed(1)}ms` : Duration.format(Duration.millis(Math.round(ms)))

/**
 * A report as text: a line a resource, a bar from its first attempt to its end, light where it was ready and had to
 * wait (for a slot, or for its batch), and what became of it.
 *
 * - `width`: how many columns the bars have; default 40, at least 8. Names and reasons come on top of it.
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
 * Effect.runPromise(report).then((report) => console.log(Report.toWaterfall(report, { width: 24 })))
 * ```
 *
 * @since 0.1.0
 * @category printing
 */
export const toWaterfall = (self: Report<unknown>, options?: { readonly width?: number }): string => {
  const width = Math.max(8, Math.floor(options?.width ?? 40))
  const ends = self.resources.map(({ endedAt, startedAt }) => endedAt ?? startedAt ?? self.startedAt)
  const end = self.endedAt ?? ends.reduce((latest, at) => Math.max(latest, at), self.startedAt)
  const duration = end - self.startedAt
  const columnOf = (at: number): number =>
    duration === 0 ? 0 : Math.min(width - 1, Math.max(0, Math.round(((at - self.startedAt) / duration) * width)))
  const scale = { width, end, column: duration / width, columnOf }
  const names = self.resources.reduce((longest, { resource }) => Math.max(longest, resource.length), 0)
  const lines = self.resources.map((row) => {
    const took = row.startedAt === undefined ? "" : millis((row.endedAt ?? end) - row.startedAt)
    const tries = row.attempts > 1 ? `${row.attempts} attempts` : ""
    const notes = [tries, why(row.outcome)].filter((note) => note !== "").join(", ")
    return `${symbols[row.outcome._tag]} ${row.resource.padEnd(names)} ${bar(row, scale)} ${took.padStart(7)}  ${notes}`.trimEnd()
  })
  const head = `"${self.loader}" ${self.end === undefined ? "runs since" : "took"} ${millis(duration)}${self.timedOut ? ", timed out" : ""}`
  return [head, ...lines].join("\n")
}
