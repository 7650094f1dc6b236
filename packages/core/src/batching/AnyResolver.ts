/** Resolvers whose requests only the types of declarations know, and how to make one resolver from another. */
import type * as Request from "effect/Request"
import type * as RequestResolver from "effect/RequestResolver"

// oxlint-disable-next-line typescript/no-explicit-any -- the only bound that every resolver meets
export type AnyResolver = RequestResolver.RequestResolver<any>

// oxlint-disable-next-line typescript/no-explicit-any -- the only bound that every request meets
export type AnyRequest = Request.Request<any, any, any>

/** A request that waits in a batch of a resolver. */
export type BatchEntry = Request.Entry<AnyRequest>

export type BatchEntries = readonly [BatchEntry, ...Array<BatchEntry>]

/**
 * A copy of a resolver with some properties changed. Effect's own constructor is not used, since it would bring its modules
 * for persistence into programs that only make requests.
 */
export const changed = (self: AnyResolver, change: Partial<AnyResolver>): AnyResolver =>
  Object.assign(Object.create(Object.getPrototypeOf(self)), self, change) as AnyResolver
