/** The issues of the policies of a resource. */
import { type GraphIssue, phrase, quoted, worded } from "../model/GraphIssue.ts"
import { withDefaults } from "../model/Kind.ts"
import type { Base, Layer, LayeredSource } from "../model/Node.ts"

export const misplaced = (base: Base, policy: Layer, reason: string): GraphIssue =>
  misplacedOn(base.name, policy.label, reason)

/** The issue of a policy that can have no effect on a resource. */
export const misplacedOn = (resource: string, policy: string, reason: string): GraphIssue =>
  worded(
    { _tag: "MisplacedPolicy", resource, policy, reason },
    () => `misplaced policy ${quoted(policy)} on ${quoted(resource)}: ${phrase(reason)}`
  )

/** The layers of a resource, or of the items of a list. */
interface Layers {
  readonly layers: ReadonlyArray<Layer>
  readonly source: LayeredSource
  /** Layers further in, around parts of it. */
  readonly further?: ReadonlyArray<Layer>
}

/** Issues of layers. The issue of a refused layer names the layer piped onto it. */
export const checkLayers = (
  base: Base,
  { further = [], layers, source }: Layers,
  defaults: ReadonlyArray<Layer> = []
): ReadonlyArray<GraphIssue> => {
  const all = withDefaults(layers, defaults)
  const own = all.length - layers.length
  return all.flatMap((layer, i) => {
    const inside = i < own ? [] : [...further, ...layers.slice(0, i - own)]
    const reason = layer.misplaced?.(source, inside)
    return [
      ...(layer.refused === undefined ? [] : [misplaced(base, all[i + 1]!, layer.refused)]),
      ...(reason === undefined ? [] : [misplaced(base, layer, reason)])
    ]
  })
}

/** The issues of a resource that is no list. A resource without a load takes no policies. */
export const check = (base: Base, defaults: ReadonlyArray<Layer>): ReadonlyArray<GraphIssue> => {
  const { refuses } = base.source.kind
  return refuses === undefined
    ? checkLayers(base, base, defaults)
    : base.layers.slice(-1).map((layer) => misplaced(base, layer, refuses))
}
