/** Batches whose calls take permits: one memory for all runs, so that they share calls as others do. */
import type { AnyResolver } from "../batching/AnyResolver.ts"
import type { Batches } from "../batching/Batches.ts"
import type { Asks, Limited } from "../compile/Program.ts"
import type { PermitSource } from "../limiter/PermitSource.ts"
import type { RunPermits } from "../limiter/RunPermits.ts"

const known = new WeakMap<PermitSource, WeakMap<AnyResolver, Map<number, Batches>>>()

/** The batches of a resolver whose calls each take so many permits. */
export const limitedBatches = (
  permits: RunPermits,
  limit: Limited,
  { means, resolver }: Pick<Asks, "means" | "resolver">
): Batches => {
  const { around, source } = permits.aroundCalls(limit)
  let ofSource = known.get(source)
  if (ofSource === undefined) known.set(source, (ofSource = new WeakMap()))
  let byCount = ofSource.get(resolver)
  if (byCount === undefined) ofSource.set(resolver, (byCount = new Map()))
  let batches = byCount.get(limit.permits)
  if (batches === undefined) byCount.set(limit.permits, (batches = means.batchesAround(resolver, around)))
  return batches
}
