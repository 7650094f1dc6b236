/** What became of each resource of a run, in a line a resource. */
import type { Report } from "effect-loader"
import { bad, dim, good, warn } from "./Text.ts"

const show = ({ attempts, outcome }: Report.ResourceReport): string => {
  switch (outcome._tag) {
    case "Succeeded":
      return good("✓ loaded")
    case "Degraded":
      return warn(`~ fell back (${outcome.fallback})`)
    case "Failed":
      return bad(`✗ failed${attempts > 1 ? `, ${attempts} attempts` : ""}`)
    case "Died":
      return bad("! died")
    case "Interrupted":
      return dim("× interrupted: the run had failed")
    case "Skipped":
      return dim(`- never started${"resource" in outcome.because ? `: ${outcome.because.resource} had failed` : ""}`)
    case "Compensated":
      return warn("← undone")
    case "CompensationFailed":
      return bad("≠ not undone")
    case "Unfinished":
      return dim("… unfinished")
  }
}

export const toLines = (report: Report.Report<unknown>): ReadonlyArray<string> => {
  const width = report.resources.reduce((width, { resource }) => Math.max(width, resource.length), 0)
  return report.resources.map((row) => `${row.resource.padEnd(width)}  ${show(row)}`)
}
