/** Text on lines: its width, how it is cut, and its colours. */

/** The meaning of a piece of text. */
export type Paint = "title" | "good" | "warn" | "bad" | "wait" | "quiet"

export interface Pen {
  /** The width of a text in columns. */
  readonly width: (text: string) => number
  /** A text in at most `columns` columns, with an ellipsis if it is cut. */
  readonly fit: (text: string, columns: number) => string
  readonly paint: (paint: Paint, text: string) => string
}

/** Without colours, and as if every character were one column wide: the pen for unknown terminals. */
export const plainPen: Pen = {
  width: (text) => Array.from(text).length,
  fit: (text, columns) => {
    const characters = Array.from(text)
    return characters.length <= columns ? text : `${characters.slice(0, Math.max(0, columns - 1)).join("")}…`
  },
  paint: (_, text) => text
}

/** A text in exactly `columns` columns: cut, or followed by blanks. */
export const pad = (pen: Pen, text: string, columns: number): string => {
  const fitted = pen.fit(text, columns)
  return fitted + " ".repeat(Math.max(0, columns - pen.width(fitted)))
}

/** A text in exactly `columns` columns, preceded by blanks. */
export const padBefore = (pen: Pen, text: string, columns: number): string => {
  const fitted = pen.fit(text, columns)
  return " ".repeat(Math.max(0, columns - pen.width(fitted))) + fitted
}
