import { printableLabel } from "./Printable.ts"

/** The maximal number of names on one line. */
const mostNames = 12

/** Names on one line; the first and the last of them if there are many. */
export const namesText = (names: ReadonlyArray<string>, between: string): string => {
  const shown = names.map(printableLabel)
  if (shown.length <= mostNames) return shown.join(between)
  return [...shown.slice(0, mostNames - 1), `... ${shown.length - mostNames} more ...`, shown.at(-1)!].join(between)
}
