/**
 * Errors that say nothing about the value, only that it is not available now. Their classes carry a mark under a string key;
 * `instanceof` would not recognize errors of another copy of the library.
 */
import * as Cause from "effect/Cause"

export const NotNow = "~effect-loader/NotNow"

/** `Refused`: the load did not begin. `Late`: it took too long. */
export type NotNow = "Refused" | "Late"

/** The mark of an error, if it has one. */
export const notNow = (error: unknown): NotNow | undefined => {
  if (typeof error !== "object" || error === null) return undefined
  if (Cause.isTimeoutError(error)) return "Late"
  return (error as { readonly [NotNow]?: NotNow })[NotNow]
}
