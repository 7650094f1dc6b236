/** The protection of a resolver's backend, which must be the same for all resources that share its calls. */
import type { AnyResolver } from "../batching/AnyResolver.ts"
import type { Base, Layer } from "../model/Node.ts"
import type { GraphIssue } from "../compile/GraphError.ts"
import { guards, withDefaults } from "../compile/Program.ts"

/** The resolver that a resource asks, and all that is piped around its requests, innermost first. */
const askedBy = (
  { layers, source }: Base,
  defaults: ReadonlyArray<Layer>
): readonly [AnyResolver | undefined, ReadonlyArray<Layer>] => {
  if (source._tag === "Request") return [source.resolver, withDefaults(layers, defaults)]
  if (source._tag === "List") return [source.resolver, [...withDefaults(source.each, defaults), ...layers]]
  return [undefined, layers]
}

/** The resources of one resolver whose protections differ. One without any has calls of its own. */
export const differingProtections = (
  bases: ReadonlyArray<Base>,
  defaults: ReadonlyArray<Layer>
): ReadonlyArray<GraphIssue> => {
  const issues: Array<GraphIssue> = []
  /** Of each resolver, the first resource with each protection. */
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
      issues.push({ _tag: "DifferentProtections", resources: [first[1], base.name], policies: [first[0], policy] })
    }
    ofResolver.set(policy, base.name)
  }
  return issues
}
