/** What a failed expectation tells: what was expected, what happened instead, and what ran when. */
import { Cause, Exit } from "effect"
import { FailedResource, Report } from "effect-loader"
import { describe, isResourceError, noteOf, timelineText } from "effect-loader/internal"
import { reportsOf } from "./Received.ts"

const reasonText = (reason: Cause.Reason<unknown>): string => {
  if (Cause.isInterruptReason(reason)) return "it was interrupted"
  if (Cause.isFailReason(reason)) {
    return isResourceError(reason.error) ? reason.error.message : `it failed: ${describe(reason.error)}`
  }
  const resource = reason.annotations.get(FailedResource.key)
  const who = typeof resource === "string" ? `resource "${resource}"` : "it"
  return `${who} died: ${describe(reason.defect)}`
}

/** Everything that a load failed with, a line each. */
export const exitText = (exit: Exit.Exit<unknown, unknown>): string =>
  Exit.isSuccess(exit) ? "the load succeeded" : exit.cause.reasons.map(reasonText).join("\n")

const verbs: Record<Report.Outcome["_tag"], string> = {
  Succeeded: "succeeded",
  Degraded: "fell back",
  Failed: "failed",
  Died: "died",
  Interrupted: "was interrupted",
  Skipped: "was skipped",
  Compensated: "was undone",
  CompensationFailed: "was not undone",
  Unfinished: "has not ended"
}

const rowText = (row: Report.ResourceReport, since: number): string => {
  const at = (instant: number | undefined): string =>
    instant === undefined ? "" : ` at ${Math.round(instant - since)}ms`
  const note = noteOf(row)
  const ran =
    row.startedAt === undefined
      ? "never ran"
      : `started${at(row.startedAt)}, ${verbs[row.outcome._tag]}${at(row.endedAt)}`
  return `"${row.resource}" ${ran}${note === "" ? "" : `: ${note}`}`
}

/** What became of a resource, in each run that could load it. */
export const resourceText = (received: unknown, resource: string): string => {
  const reports = reportsOf(received)
  const lines = reports.flatMap((report) => {
    const row = Report.get(report, resource)
    return row === undefined ? [] : [rowText(row, report.startedAt)]
  })
  if (lines.length > 0) return lines.join("\n")
  const names = new Set(reports.flatMap(({ resources }) => resources.map(({ resource }) => resource)))
  return names.size === 0
    ? "nothing was recorded"
    : `no run loads "${resource}": there are ${Array.from(names).join(", ")}`
}

export interface Verdict {
  readonly pass: boolean
  readonly message: () => string
}

/**
 * - `subject`, `should`: `resource "org"` and `have failed`, with a `to` or a `not to` between them.
 * - `happened`: what happened instead.
 */
export const verdict = (
  received: unknown,
  told: {
    readonly pass: boolean
    readonly subject: string
    readonly should: string
    readonly happened: () => string
  }
): Verdict => ({
  pass: told.pass,
  message: () => {
    const expected = `expected ${told.subject} ${told.pass ? "not to" : "to"} ${told.should}`
    const timelines = reportsOf(received).map(timelineText)
    return [`${expected}\n${told.happened()}`, ...timelines].join("\n\n")
  }
})
