import { assert } from "@effect/vitest"
import type { Report } from "effect-loader"

/** A waterfall has one line for each resource, and no line is wider than its columns. */
export const assertDrawn = (
  report: Report.Report,
  text: string,
  columns: number,
  widthOf: (line: string) => number
): void => {
  const lines = text.split("\n")
  for (const line of lines) assert.isAtMost(widthOf(line), columns, line)
  for (const { resource } of report.resources) {
    const rows = lines.filter((line) => new RegExp(`^[✓~✗!×…-] ${resource} `).test(`${line} `))
    assert.lengthOf(rows, 1, `rows of ${resource}`)
  }
}
