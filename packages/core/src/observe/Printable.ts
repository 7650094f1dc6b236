import { plainPen } from "./Pen.ts"

/** Text as one line that no terminal acts on: control characters, and those that change the direction, are escaped. */
export const printable = (text: string): string =>
  // oxlint-disable-next-line no-control-regex -- these are the characters to escape
  text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, (character) => {
    const short = JSON.stringify(character).slice(1, -1)
    return short.length === 2 ? short : `\\u{${character.codePointAt(0)!.toString(16)}}`
  })

/** The maximal length of a label. */
const longestLabel = 60

/** A name or label of a user, for texts without columns: on one line, and of bounded length. */
export const printableLabel = (text: string): string => plainPen.fit(printable(text), longestLabel)
