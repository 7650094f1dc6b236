/** The layers around the calls of a resolver, which several requests share. */
import { guards, splitLayers, takesPermits, toRefusals, type ToWrapped, wrapped } from "../attempt/Layering.ts"
import type { AnyResolver } from "../batching/AnyResolver.ts"
import type { AroundRequests, AskMeans, Layer } from "../model/Node.ts"
import type { Asks, Wrapped } from "../model/Step.ts"
import { protectedBy } from "./Protected.ts"
import { requests } from "./Requests.ts"

const none: ReadonlyArray<never> = []

export const protects = ({ protects }: Layer): boolean => protects !== undefined

const distinctBy = <A>(all: ReadonlyArray<A>, by: (one: A) => unknown): ReadonlyArray<A> => {
  const seen = new Set<unknown>()
  return all.filter((one) => seen.size < seen.add(by(one)).size)
}

/** Limits stand inside layers that may refuse a call: a refused call takes no permits. */
const permitsFirst = (calls: ReadonlyArray<Layer>): ReadonlyArray<Layer> => {
  const guard = calls.findIndex(guards)
  if (guard < 0) return calls
  const later = calls.slice(guard)
  return [...calls.slice(0, guard), ...later.filter(takesPermits), ...later.filter((layer) => !takesPermits(layer))]
}

/** The shortest timeout inside the protections: for the resource, a call that takes longer has failed. */
const patienceOf = (layers: ReadonlyArray<Layer>): number | undefined => {
  const limits = layers.slice(0, layers.findLastIndex(protects) + 1).flatMap(({ patience }) => patience ?? [])
  return limits.length === 0 ? undefined : limits.reduce((least, limit) => Math.min(least, limit))
}

/**
 * As `wrapped`, for requests: limits and other protections stand around the call. A call takes permits inside the layers that
 * may refuse it.
 */
export const asked =
  (resolver: AnyResolver, means: AskMeans, { asking }: AroundRequests): ToWrapped =>
  (layers, resource, around = none) => {
    const own = protectedBy(resolver)
    const [inner, outer] = splitLayers([...own.filter(protects), ...layers].map(toRefusals))
    const { beginsFree, goesOn, limit } = wrapped(layers, resource, around)
    const piped = [...layers, ...around]
    const calls = permitsFirst(distinctBy([...own, ...piped.filter(protects)], ({ label }) => label))
    const asks = { resolver, means, resource, limit, calls, patience: patienceOf(piped), ...(asking && { asking }) }
    return {
      inner,
      outer,
      goesOn,
      beginsFree,
      limit: undefined,
      holdsSlot: false,
      asks,
      loading: requests(asks)
    }
  }

/** The resolver of a request without layers. */
export const bareAsks = ({ asks, inner, outer }: Wrapped): Asks | undefined =>
  asks?.asking === undefined && inner.length + outer.length === 0 ? asks : undefined
