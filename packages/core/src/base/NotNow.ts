/**
 * Errors that say nothing about what was asked for, only that it cannot be had now. Their classes are marked under a string,
 * not known by `instanceof`, so that two copies of the library agree.
 */
import { Cause } from "effect"

export const NotNow = "~effect-loader/NotNow"

/** `Refused`: nothing was begun. `Late`: it took too long. */
export type NotNow = "Refused" | "Late"

/** Whether an error says "not now", and in which way. */
export const notNow = (error: unknown): NotNow | undefined => {
  if (typeof error !== "object" || error === null) return undefined
  if (Cause.isTimeoutError(error)) return "Late"
  return (error as { readonly [NotNow]?: NotNow })[NotNow]
}
