/**
 * Substitutes of declared resources: overrides and given values.
 *
 * A substitute replaces a base and all its views; a substitute of a view replaces only that view. Dependencies of replaced
 * resources are not visited, so they are not in the graph unless others need them.
 */
import { type Base, baseOf, type Node } from "../model/Node.ts"

export interface Substitution {
  /** By the name of a resource, for whichever resource of the graph has that name. */
  readonly byName: ReadonlyMap<string, Node>
  /** For one node. */
  readonly byNode: ReadonlyMap<Node, Node>
  /** For every other base. */
  readonly otherwise?: (base: Base) => Node | undefined
  /** Maps each node to its substitute; `undefined` without substitutions. */
  readonly apply?: (self: Substitution) => (node: Node) => Node
}

export const noSubstitution: Substitution = { byName: new Map(), byNode: new Map() }

/** Maps each node to its substitute, or to itself. The same node always gives the same result. */
const substitute = (substitution: Substitution): ((node: Node) => Node) => {
  const { byName, byNode, otherwise } = substitution
  const standIns = new Set<Node>([...byNode.values(), ...byName.values()].map(baseOf))
  const known = new Map<Node, Node>()
  const find = (node: Node): Node => {
    const chosen = byNode.get(node)
    if (chosen !== undefined) return chosen
    if (node._tag === "Base") return standIns.has(node) ? node : (byName.get(node.name) ?? otherwise?.(node) ?? node)
    const parent = of(node.parent)
    return parent === node.parent ? node : { ...node, parent }
  }
  const of = (node: Node): Node => {
    let found = known.get(node)
    if (found === undefined) known.set(node, (found = find(node)))
    return found
  }
  return of
}

/** A substitution of these nodes, if there are any. */
export const substituting = (nodes: Omit<Substitution, "apply">): Substitution =>
  nodes.byName.size + nodes.byNode.size === 0 && nodes.otherwise === undefined
    ? noSubstitution
    : { ...nodes, apply: substitute }
