/** Tables and figures for people: Markdown, padded so that a terminal shows them well too. */

export type Row = ReadonlyArray<string>

/** The first columns hold words and are aligned left, the others figures. */
export const table = (header: Row, rows: ReadonlyArray<Row>, words = 1): string => {
  const widths = header.map((title, k) => Math.max(3, title.length, ...rows.map((row) => (row[k] ?? "").length)))
  const line = (row: Row): string =>
    `| ${widths.map((width, k) => (k < words ? (row[k] ?? "").padEnd(width) : (row[k] ?? "").padStart(width))).join(" | ")} |`
  const rule = widths.map((width, k) => (k < words ? "-".repeat(width) : `${"-".repeat(width - 1)}:`))
  return [line(header), line(rule), ...rows.map(line)].join("\n")
}

/** Three significant digits. */
export const round = (value: number): number => Number(value.toPrecision(3))

export const duration = (ns: number): string => {
  if (ns >= 1e9) return `${round(ns / 1e9)} s`
  if (ns >= 1e6) return `${round(ns / 1e6)} ms`
  return ns >= 1e3 ? `${round(ns / 1e3)} us` : `${Math.round(ns)} ns`
}

export const ratio = (value: number): string => (value < 0.1 ? value.toPrecision(2) : value.toFixed(2))

export const kib = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`
