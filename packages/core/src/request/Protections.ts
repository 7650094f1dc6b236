/** Checks that resources which share the calls of a resolver protect its backend in the same way. */
import type { AnyResolver } from "../batching/AnyResolver.ts"
import { guards } from "../attempt/Layering.ts"
import { type GraphIssue, worded } from "../model/GraphIssue.ts"
import { withDefaults } from "../model/Kind.ts"
import type { Base, Layer, Source } from "../model/Node.ts"

/** A source with a resolver, for itself or for its items. */
interface AskingSource extends Source {
  readonly resolver?: AnyResolver | undefined
  readonly each?: ReadonlyArray<Layer>
}

/** The resolver of a resource, and all layers around its requests, innermost first. */
const askedBy = (
  { layers, source }: Base,
  defaults: ReadonlyArray<Layer>
): readonly [AnyResolver | undefined, ReadonlyArray<Layer>] => {
  const { each, resolver } = source as AskingSource
  return [resolver, each === undefined ? withDefaults(layers, defaults) : [...withDefaults(each, defaults), ...layers]]
}

const differing = (resources: readonly [string, string], policies: readonly [string, string]): GraphIssue =>
  worded({ _tag: "DifferentProtections", resources, policies }, () => {
    const [one, other] = resources.map((name, i) => `"${name}" (${policies[i]})`)
    return (
      `${one} and ${other} share the calls of one resolver, which can have one protection: pipe the same onto both, ` +
      "give it to the resolver with `Batching.protect`, or give each a resolver of its own"
    )
  })

/** The resources of one resolver whose protections differ. A resource without protections has its own calls. */
export const differingProtections = (
  bases: ReadonlyArray<Base>,
  defaults: ReadonlyArray<Layer>
): ReadonlyArray<GraphIssue> => {
  const issues: Array<GraphIssue> = []
  /** For each resolver, the first resource with each protection. */
  const known = new Map<AnyResolver, Map<string, string>>()
  for (const base of bases) {
    const [resolver, layers] = askedBy(base, defaults)
    const policy = Array.from(new Set(layers.filter(guards).map(({ label }) => label))).join(", ")
    if (resolver === undefined || policy === "") continue
    const ofResolver = known.get(resolver) ?? new Map<string, string>()
    known.set(resolver, ofResolver)
    if (ofResolver.has(policy)) continue
    const [first] = ofResolver
    if (first !== undefined) {
      issues.push(differing([first[1], base.name], [first[0], policy]))
    }
    ofResolver.set(policy, base.name)
  }
  return issues
}
