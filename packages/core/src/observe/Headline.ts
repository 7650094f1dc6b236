import type { Report } from "../watch/Report.ts"
import { millis } from "./Millis.ts"
import { printableLabel } from "./Printable.ts"

const howItEnded = ({ end }: Report<unknown>): string => {
  switch (end) {
    case undefined:
      return "has run for"
    case "Completed":
      return "took"
    case "Failed":
      return "failed after"
    case "TimedOut":
      return "was out of time after"
    case "Interrupted":
      return "was interrupted after"
  }
}

/** The number of loaded resources, of those that the run needs. */
export const loadedOf = ({ resources }: Report<unknown>): readonly [loaded: number, of: number] => {
  const tags = resources.flatMap(({ outcome }) =>
    outcome._tag === "Skipped" && outcome.because._tag === "NotChosen" ? [] : [outcome._tag]
  )
  return [tags.filter((tag) => tag === "Succeeded" || tag === "Degraded").length, tags.length]
}

/** How and when a run ended, or that it is in progress: the first line of every text about a report. */
export const headline = (report: Report<unknown>): string =>
  `"${printableLabel(report.loader)}" ${howItEnded(report)} ${millis(report.until - report.startedAt)}`
