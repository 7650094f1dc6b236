/** The issues of the policies of a resource. */
import { type GraphIssue, phrase, quoted, worded } from "../model/GraphIssue.ts"
import { withDefaults } from "../model/Kind.ts"
import type { Base, Layer } from "../model/Node.ts"

export const misplaced = (base: Base, policy: Layer, reason: string): GraphIssue =>
  misplacedOn(base.name, policy.label, reason)

/** The issue of a policy that can have no effect on a resource. */
export const misplacedOn = (resource: string, policy: string, reason: string): GraphIssue =>
  worded(
    { _tag: "MisplacedPolicy", resource, policy, reason },
    () => `misplaced policy ${quoted(policy)} on ${quoted(resource)}: ${phrase(reason)}`
  )

const several = "an attempt that holds permits of one limiter must not wait for those of another: keep one of them"
const needsKey = "this cache is for resources that have a `key`, and this one has none"
const staysInRun = "a service that a layer built is released with its run, so nothing may remember it longer"

const takesPermits = ({ takes }: Layer): boolean => takes !== undefined

/** A policy that is piped after a fallback may get a value that nothing loaded. */
const tooLate = ({ layers }: Base, i: number): string | undefined =>
  layers[i]!.undo?._tag === "Compensation" && layers.slice(0, i).some(({ recovers }) => recovers)
    ? "a fallback gives nothing that could be undone: pipe it before the fallback"
    : undefined

/** The layers that need a key, on a resource without one. */
export const keyless = (base: Base, layers: ReadonlyArray<Layer>, key: unknown): ReadonlyArray<GraphIssue> =>
  key === undefined ? layers.filter((layer) => layer.needsKey).map((layer) => misplaced(base, layer, needsKey)) : []

/** Issues of layers. The issue of a refused layer names the layer piped onto it. `reasonOf`: why a kind of resource refuses a
 * layer. */
export const checkLayers = (
  base: Base,
  reasonOf: (layer: Layer) => string | undefined = () => undefined
): ReadonlyArray<GraphIssue> =>
  base.layers.flatMap((layer, i) => {
    const reason = reasonOf(layer) ?? tooLate(base, i)
    return [
      ...(layer.refused === undefined ? [] : [misplaced(base, base.layers[i + 1]!, layer.refused)]),
      ...(reason === undefined ? [] : [misplaced(base, layer, reason)])
    ]
  })

/** An attempt may take permits of one limiter only. */
export const checkLimits = (base: Base, each: ReadonlyArray<Layer> = []): ReadonlyArray<GraphIssue> =>
  [...each, ...base.layers]
    .filter(takesPermits)
    .slice(1)
    .map((limit) => misplaced(base, limit, several))

/** The issues of a resource that is no list. A resource without a load takes no policies. */
export const check = (base: Base, defaults: ReadonlyArray<Layer>): ReadonlyArray<GraphIssue> => {
  const { key, kind, service } = base.source
  const { refuses } = kind
  if (refuses !== undefined) return base.layers.slice(-1).map((layer) => misplaced(base, layer, refuses))
  const all = withDefaults(base.layers, defaults)
  const remembers = service === undefined ? [] : all.filter(({ mayKnow }) => mayKnow)
  return [
    ...checkLayers(base),
    ...checkLimits(base),
    ...keyless(base, all, key),
    ...remembers.map((layer) => misplaced(base, layer, staysInRun))
  ]
}
