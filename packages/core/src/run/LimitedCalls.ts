/** Batches whose calls take permits: one memory for all runs, so that they share calls as others do. */
import type { AnyResolver } from "../batching/AnyResolver.ts"
import type { AroundCall, Batches } from "../batching/Batches.ts"
import type { Asks } from "../compile/Program.ts"
import type { PermitSource } from "../limiter/PermitSource.ts"
import { hideRefusal } from "../limiter/Refusal.ts"
import type { Limiter } from "../limiter/Shape.ts"

/** A call that is refused is refused to all who wait for it. */
const limited =
  (limiter: Limiter, count: number, resource: string): AroundCall =>
  (self) =>
    hideRefusal(limiter.withPermit(self, { permits: count, resource }))

const known = new WeakMap<PermitSource, WeakMap<AnyResolver, Map<number, Batches>>>()

/**
 * The batches of a resolver whose calls each take so many permits.
 *
 * - `source`: where the permits come from. Who borrows from somebody around does not wait with those who do not: what
 *   lends would wait for a call that waits for permits.
 */
export const limitedBatches = (
  source: PermitSource,
  limiter: Limiter,
  { count, resource }: { readonly count: number; readonly resource: string },
  { means, resolver }: Pick<Asks, "means" | "resolver">
): Batches => {
  let ofSource = known.get(source)
  if (ofSource === undefined) known.set(source, (ofSource = new WeakMap()))
  let byCount = ofSource.get(resolver)
  if (byCount === undefined) ofSource.set(resolver, (byCount = new Map()))
  let batches = byCount.get(count)
  if (batches === undefined)
    byCount.set(count, (batches = means.batchesAround(resolver, limited(limiter, count, resource))))
  return batches
}
