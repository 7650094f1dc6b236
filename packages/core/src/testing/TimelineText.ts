/** A run as a short text that is stable under virtual time: a line for each resource, with its times and its outcome. */
import { headline } from "../observe/Headline.ts"
import { noteOf, signs } from "../observe/OutcomeText.ts"
import { printable } from "../observe/Printable.ts"
import type { Report, ResourceReport } from "../watch/Report.ts"

const spanOf = ({ endedAt, startedAt }: ResourceReport, report: Report): string => {
  if (startedAt === undefined) return ""
  const since = (at: number): string => String(Math.round(at - report.startedAt))
  return `${since(startedAt)}-${endedAt === undefined ? "" : since(endedAt)}`
}

const widest = (texts: ReadonlyArray<string>): number => texts.reduce((most, { length }) => Math.max(most, length), 0)

export const timelineText = (report: Report): string => {
  const names = report.resources.map(({ resource }) => printable(resource))
  const spans = report.resources.map((row) => spanOf(row, report))
  const [name, span] = [widest(names), widest(spans)]
  const rows = report.resources.map((row, k) =>
    `${signs[row.outcome._tag]} ${names[k]!.padEnd(name)}  ${spans[k]!.padEnd(span)}  ${noteOf(row)}`.trimEnd()
  )
  return [headline(report), ...rows].join("\n")
}
