import type { LimitAlgorithm } from "./LimitAlgorithm.ts"

/** A limit that never changes. */
export const fixed = (limit: number): LimitAlgorithm => ({
  name: `fixed(${limit})`,
  max: limit,
  window: { minMillis: Infinity, minSamples: Infinity, maxMillis: Infinity },
  initial: { limit },
  next: (state) => state
})
