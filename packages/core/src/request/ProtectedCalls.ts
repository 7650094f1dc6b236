/** Batches whose calls have policies around them, kept for all runs, so that runs share calls. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { shared } from "../base/Shared.ts"
import { ask, askAll } from "../batching/ask.ts"
import { type AroundCall, Batches, batchesOf } from "../batching/Batches.ts"
import type { AnyEffect, AskMeans, Layer, ProtectedCall } from "../model/Node.ts"
import { PerCall } from "../model/PerCall.ts"
import { unheard } from "../model/Unheard.ts"

/** Batches by the resolver, then by the service of each policy around its calls. */
class ByService {
  private readonly further = new WeakMap<object, ByService>()
  /** By the labels of the policies, which distinguish policies with the same services. */
  readonly batches = new Map<string, Batches>()

  by(service: object): ByService {
    let further = this.further.get(service)
    if (further === undefined) this.further.set(service, (further = new ByService()))
    return further
  }
}

const all = /* @__PURE__ */ shared("protected calls", () => new ByService())

/** A policy around a call. */
const aroundCall =
  ({ protects, wrap }: Layer, service: unknown, resource: string) =>
  (self: AnyEffect): AnyEffect => {
    if (protects !== undefined) return protects.aroundCall(service, self, resource)
    return Effect.suspend(() => {
      const perCall = new PerCall()
      return wrap(perCall.before(self), {
        ...unheard,
        resource,
        place: undefined,
        perCall: (report) => perCall.add(report)
      })
    })
  }

/** The batches of a resolver for callers in this context. Callers with the same services share calls. */
const protectedBatches = ({ calls, resolver, resource }: ProtectedCall, context: Context.Context<never>): Batches => {
  let known = all.by(resolver)
  const services = calls.map(({ protects }) => {
    if (protects === undefined) return undefined
    const service = Context.getUnsafe(context as Context.Context<unknown>, protects.key)
    known = known.by(protects.sharedBy?.(service, context) ?? (service as object))
    return service
  })
  const labels = JSON.stringify(calls.map(({ label }) => label))
  let batches = known.batches.get(labels)
  if (batches === undefined) {
    const each = calls.map((layer, i) => aroundCall(layer, services[i], resource))
    const around = (self: AnyEffect): AnyEffect => each.reduce((inside, outside) => outside(inside), self)
    batches = new Batches(resolver, around as unknown as AroundCall)
    known.batches.set(labels, batches)
  }
  return batches
}

/** The functions that make requests. A declaration brings them, so that programs without requests do not contain them. */
export const askMeans: AskMeans = { ask, askAll, batchesOf, protectedBatches }
