/**
 * The means to ask. A declaration that asks brings them along, so that programs without requests need not carry them:
 * what runs such declarations knows them by their types only.
 */
import type { AnyResolver } from "./AnyResolver.ts"
import { ask, askAll } from "./Asking.ts"
import { type AroundCall, Batches, batchesOf } from "./Batches.ts"

export interface Means {
  readonly ask: typeof ask
  readonly askAll: typeof askAll
  /** The batches that everybody shares. */
  readonly batchesOf: (resolver: AnyResolver) => Batches
  /** Batches of their own, with something around each call. */
  readonly batchesAround: (resolver: AnyResolver, around: AroundCall) => Batches
}

export const means: Means = {
  ask,
  askAll,
  batchesOf,
  batchesAround: (resolver, around) => new Batches(resolver, around)
}
