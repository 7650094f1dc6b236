/** Batches whose calls have policies around them: one memory for all runs, so that they share calls as others do. */
import { Context, Effect } from "effect"
import type { AroundCall, Batches } from "../batching/Batches.ts"
import type { Asks } from "../compile/Program.ts"
import type { AnyEffect, Layer } from "../model/Node.ts"
import { PerCall } from "./PerCall.ts"
import { unheard } from "./Unheard.ts"

/** Batches by what their calls share: a resolver, then the service of each policy around them. */
class Shared {
  private readonly further = new WeakMap<object, Shared>()
  /** By the labels of the policies, which say what the services do not. */
  readonly batches = new Map<string, Batches>()

  by(shared: object): Shared {
    let further = this.further.get(shared)
    if (further === undefined) this.further.set(shared, (further = new Shared()))
    return further
  }
}

const all = new Shared()

/** A policy around a call. */
const aroundCall =
  ({ label, protects, wrap }: Layer, service: unknown, resource: string) =>
  (self: AnyEffect): AnyEffect => {
    if (protects !== undefined) return protects.aroundCall(service, self, resource)
    return Effect.suspend(() => {
      const perCall = new PerCall()
      const heard = { resource, key: () => label, outsideRun: () => self, policiesInside: () => "" }
      return wrap(perCall.before(self), { ...unheard, ...heard, perCall: (report) => perCall.add(report) })
    })
  }

/** The batches of a resolver, for callers in this context: those that have the same services share calls. */
export const protectedBatches = (
  { calls, means, resolver, resource }: Asks,
  context: Context.Context<never>
): Batches => {
  let shared = all.by(resolver)
  const services = calls.map(({ protects }) => {
    if (protects === undefined) return undefined
    const service = Context.getUnsafe(context as Context.Context<unknown>, protects.key)
    shared = shared.by(protects.sharedBy?.(service, context) ?? (service as object))
    return service
  })
  const labels = JSON.stringify(calls.map(({ label }) => label))
  let batches = shared.batches.get(labels)
  if (batches === undefined) {
    const each = calls.map((layer, i) => aroundCall(layer, services[i], resource))
    const around = (self: AnyEffect): AnyEffect => each.reduce((inside, outside) => outside(inside), self)
    batches = means.batchesAround(resolver, around as unknown as AroundCall)
    shared.batches.set(labels, batches)
  }
  return batches
}
