import { plainPen } from "./Pen.ts"

/** Text as one line that no terminal acts on: control characters, and those that turn the direction, written out. */
export const printable = (text: string): string =>
  // oxlint-disable-next-line no-control-regex -- these are what it is about
  text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, (character) => {
    const short = JSON.stringify(character).slice(1, -1)
    return short.length === 2 ? short : `\\u{${character.codePointAt(0)!.toString(16)}}`
  })

/** A label that is longer than this is no help to anybody. */
const longestLabel = 60

/** A name, or whatever else people chose, for texts that have no columns to keep to: on one line, and not too long. */
export const printableLabel = (text: string): string => plainPen.fit(printable(text), longestLabel)
