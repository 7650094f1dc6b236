import { printableLabel } from "./Printable.ts"

/** More names than this on one line are more than anybody reads. */
const mostNames = 12

/** Names on one line; of many, the first and the last of them. */
export const namesText = (names: ReadonlyArray<string>, between: string): string => {
  const shown = names.map(printableLabel)
  if (shown.length <= mostNames) return shown.join(between)
  return [...shown.slice(0, mostNames - 1), `... ${shown.length - mostNames} more ...`, shown.at(-1)!].join(between)
}
