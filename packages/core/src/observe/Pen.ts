/** How text gets onto lines: how wide it is, how it is cut, and in which colours. */

/** What a piece of text stands for. */
export type Paint = "title" | "good" | "warn" | "bad" | "wait" | "quiet"

export interface Pen {
  /** How many columns a text takes. */
  readonly width: (text: string) => number
  /** A text in at most so many columns, with an ellipsis where something is missing. */
  readonly fit: (text: string, columns: number) => string
  readonly paint: (paint: Paint, text: string) => string
}

/** Without colours, and as if every character were one column wide: what can be had without knowing the terminal. */
export const plainPen: Pen = {
  width: (text) => Array.from(text).length,
  fit: (text, columns) => {
    const characters = Array.from(text)
    return characters.length <= columns ? text : `${characters.slice(0, Math.max(0, columns - 1)).join("")}…`
  },
  paint: (_, text) => text
}

/** A text in exactly so many columns: cut, or with blanks after it. */
export const pad = (pen: Pen, text: string, columns: number): string => {
  const fitted = pen.fit(text, columns)
  return fitted + " ".repeat(Math.max(0, columns - pen.width(fitted)))
}

/** A text in exactly so many columns, with blanks before it. */
export const padBefore = (pen: Pen, text: string, columns: number): string => {
  const fitted = pen.fit(text, columns)
  return " ".repeat(Math.max(0, columns - pen.width(fitted))) + fitted
}
