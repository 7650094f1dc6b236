/** Resolvers of requests of which only the declaration's types know more, and how one is made from another. */
import type * as Request from "effect/Request"
import type * as RequestResolver from "effect/RequestResolver"

// oxlint-disable-next-line typescript/no-explicit-any -- the only bound that every resolver meets
export type AnyResolver = RequestResolver.RequestResolver<any>

// oxlint-disable-next-line typescript/no-explicit-any -- the only bound that every request meets
export type AnyRequest = Request.Request<any, any, any>

/** A request that waits in a batch of a resolver. */
export type Entry = Request.Entry<AnyRequest>

export type Entries = readonly [Entry, ...Array<Entry>]

/**
 * The same resolver but for what is changed. Effect's own way to make one comes with its modules for persistence, which
 * nobody who only makes requests should have to download.
 */
export const changed = (self: AnyResolver, change: Partial<AnyResolver>): AnyResolver =>
  Object.assign(Object.create(Object.getPrototypeOf(self)), self, change) as AnyResolver
