/**
 * Finds all nodes that the targets need, dependencies before dependents.
 *
 * A depth-first walk with an explicit stack, so that a chain of 100,000 resources needs no recursion. The order in which it
 * leaves the nodes is the declaration order of all that follows: targets from first to last, and before each node its
 * dependencies, in the order of their keys.
 */
import { kindOf, valueText } from "../base/ValueText.ts"
import { type GraphIssue, quoted } from "../model/GraphIssue.ts"
import type { Case, ReadResources } from "../model/Kind.ts"
import { type Base, baseOf, type Node, type Source } from "../model/Node.ts"
import { isResource, nodeOf } from "../model/Resource.ts"
import { cyclesOf } from "./Cycles.ts"
import { cycle, duplicateName, invalidDependencies, invalidName, moreCycles, notAResource } from "./GraphError.ts"
import type { Substitution } from "./Substitution.ts"

/** The edges of a node to all nodes that it may wait for, in declaration order. */
interface Outgoing {
  /** The local keys of the dependencies that it reads, which come first. A view reads its parent without a key. */
  readonly keys: ReadonlyArray<string>
  readonly nodes: ReadonlyArray<Node>
  /** The cases of a choice, which come last. */
  readonly cases: ReadonlyArray<Case>
}

/** A node that was found. */
export interface Found extends Outgoing {
  readonly node: Node
  /** The found node at the end of each edge. */
  readonly to: Array<Found>
  /** The number of batches until it has loaded, if every level waits for the last; 0 for given values. */
  level: number
  /** Its index in the program, set by `layOut`. */
  index: number
}

export interface Discovery {
  /** Dependencies before dependents. Not valid if there are issues. */
  readonly found: ReadonlyArray<Found>
  readonly targets: ReadonlyArray<readonly [key: string, target: Found]>
  readonly issues: ReadonlyArray<GraphIssue>
}

const none: ReadonlyArray<never> = []

/** Kinds of objects that are not records of resources, whatever their properties. */
const noRecords: ReadonlySet<string> = new Set(["Promise", "thenable", "resource", "loader", "Effect"])

/** The level of a node that is on the stack. */
const open = -1

/** The length of a node on a path: 0 for views, which are part of their resource, and for given values; otherwise 1. */
export const weight = (node: Node): number => (node._tag === "Base" && node.source.kind.isGiven !== true ? 1 : 0)

/** Called with each resource that runs another loader. */
export type LookInside = (resource: string, source: Source) => void

/** Reads users' options. Invalid values become issues. */
const readerOf = (standIn: (node: Node) => Node, issues: Array<GraphIssue>) => {
  /** The node of a resource. */
  const resolve: ReadResources["resolve"] = (value, refuse) => {
    if (isResource(value)) return standIn(nodeOf(value))
    issues.push(refuse(value))
    return undefined
  }
  const attempt = <A>(read: () => ReadonlyArray<A>, resource: string): ReadonlyArray<A> => {
    try {
      return read()
    } catch (defect) {
      issues.push(invalidDependencies(resource, defect))
      return none
    }
  }
  /** The entries of a record of resources. Refuses keys that objects treat in special ways, such as `__proto__`. */
  const entries: ReadResources["entries"] = (record, owner) =>
    attempt(() => {
      const given: unknown = record()
      if (typeof given !== "object" || given === null || noRecords.has(kindOf(given)) || Symbol.iterator in given) {
        throw new TypeError(`an object of resources was expected, by local key, and ${valueText(given)} came`)
      }
      const odd: Array<string | symbol> = Object.getOwnPropertySymbols(given)
      if (Object.hasOwn(given, "__proto__")) odd.push("__proto__")
      for (const key of odd) issues.push(invalidName(key, `a key of "${owner}"`))
      return Object.entries(given)
    }, owner)
  const edgesOf = (base: Base, inside: LookInside): Outgoing => {
    const { name, source } = base
    const { kind } = source
    if (typeof name !== "string" || name === "") issues.push(invalidName(name, `a resource (${kind.name})`))
    const keys: Array<string> = []
    const nodes: Array<Node> = []
    const add = (node: Node | undefined): boolean => node !== undefined && nodes.push(node) > 0
    for (const [key, value] of entries(source.deps, name)) {
      const refuse = (): GraphIssue =>
        kind.refuse?.(name, value) ??
        notAResource(
          { place: "dependency", resource: name, key },
          `dependency ${quoted(key)} of ${quoted(name)}`,
          value
        )
      if (add(resolve(value, refuse))) keys.push(key)
    }
    const cases = kind.cases?.(base, { entries, resolve }) ?? none
    attempt(() => Array.from(source.after()), name).forEach((value, i) => {
      const place = { place: "after", resource: name, key: String(i) } as const
      add(resolve(value, () => notAResource(place, `an entry in \`after\` of ${quoted(name)}`, value)))
    })
    for (const { node } of cases) nodes.push(node)
    if (source.loader !== undefined) inside(name, source)
    return { keys, nodes, cases }
  }
  return { entries, edgesOf, resolve }
}

interface Visit {
  readonly found: Found
  /** The lowest level of the next node: a case comes after all dependencies of its choice. */
  floor: number
  next: number
}

/** Reports all cycles. A resource and its views are one name in them. */
const tellCycles = (foundBy: ReadonlyMap<Node, Found>, left: ReadonlyArray<Found>, issues: Array<GraphIssue>): void => {
  const bases = Array.from(foundBy.values()).filter(({ node }) => node._tag === "Base")
  bases.forEach((base, i) => (base.index = i))
  const indicesOf = ({ nodes }: Found) => Array.from(new Set(nodes.map((node) => foundBy.get(baseOf(node))!.index)))
  const order = left.filter(({ node }) => node._tag === "Base").map(({ index }) => index)
  const { cycles, untold } = cyclesOf(bases.map(indicesOf), order)
  for (const path of cycles) issues.push(cycle(path.map((i) => bases[i]!.node.name)))
  if (untold > 0) issues.push(moreCycles(untold))
}

/** The bases that share their name with another one, by that name. */
const clashes = (found: ReadonlyArray<Found>): ReadonlyMap<string, ReadonlyArray<Base>> => {
  const first = new Map<string, Base>()
  const clashing = new Map<string, Array<Base>>()
  for (const { node } of found) {
    // A given value replaces a view of a resource, whose base other resources may still need.
    if (node._tag === "View" || node.source.kind.isSubstitute === true) continue
    const { name } = node
    const known = first.get(name)
    if (known === undefined) first.set(name, node)
    else if (clashing.get(name)?.push(node) === undefined) clashing.set(name, [known, node])
  }
  return clashing
}

/** Reports different resources with one name, and the uses of each. */
const tellDuplicates = ({ found, targets }: Omit<Discovery, "issues">, issues: Array<GraphIssue>): void => {
  const clashing = clashes(found)
  if (clashing.size === 0) return
  const uses = new Map<Base, Array<string>>()
  const note = (node: Node, use: string): void => {
    const base = baseOf(node)
    if (uses.get(base)?.push(use) === undefined) uses.set(base, [use])
  }
  for (const [key, { node }] of targets) note(node, `target "${key}"`)
  for (const { cases, keys, node, nodes } of found) {
    if (node._tag === "View") continue
    const waits = nodes.length - cases.length
    nodes.forEach((used, i) => {
      const how = i < keys.length ? `as ${keys[i]}` : i < waits ? "in after" : cases[i - waits]!.use
      note(used, `"${node.name}" (${how})`)
    })
  }
  for (const [name, bases] of clashing) {
    const [{ origin }] = bases as [Base]
    const used = bases.map((base) => uses.get(base)!)
    const same = bases.every((base) => base.origin === origin)
    issues.push(duplicateName(name, used, same))
  }
}

/** All nodes that the targets need, and the issues of their edges and names. */
export const discover = (
  targets: Readonly<Record<string, unknown>>,
  substitution: Substitution,
  inside: LookInside
): Discovery => {
  const issues: Array<GraphIssue> = []
  const { edgesOf, entries, resolve } = readerOf(substitution.apply?.(substitution) ?? ((node) => node), issues)
  const left: Array<Found> = []
  /** Every node that the walk has entered. */
  const foundBy = new Map<Node, Found>()
  const stack: Array<Visit> = []
  let isCyclic = false
  const enter = (node: Node, floor: number): Found => {
    const known = foundBy.get(node)
    if (known !== undefined) {
      isCyclic ||= known.level === open
      return known
    }
    const { cases, keys, nodes } =
      node._tag === "View" ? { keys: none, nodes: [node.parent], cases: none } : edgesOf(node, inside)
    const found: Found = { node, keys, nodes, cases, to: [], level: open, index: -1 }
    foundBy.set(node, found)
    stack.push({ found, floor, next: 0 })
    return found
  }
  const highest = (to: ReadonlyArray<Found>, floor: number): number =>
    to.reduce((level, one) => Math.max(level, one.level), floor)
  const visit = (root: Node): Found => {
    const target = enter(root, 0)
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      const { found } = frame
      const { cases, node, nodes, to } = found
      const next = nodes[frame.next]
      if (frame.next++ === nodes.length - cases.length) frame.floor = highest(to, frame.floor)
      if (next !== undefined) to.push(enter(next, frame.floor))
      else {
        stack.pop()
        found.level = highest(to, frame.floor) + weight(node)
        left.push(found)
      }
    }
    return target
  }
  const found: Array<readonly [string, Found]> = []
  for (const [key, value] of entries(() => targets, "targets")) {
    const node = resolve(value, () => notAResource({ place: "target", key }, `target ${quoted(key)}`, value))
    if (node !== undefined) found.push([key, visit(node)])
  }
  if (isCyclic) tellCycles(foundBy, left, issues)
  tellDuplicates({ found: left, targets: found }, issues)
  return { found: left, targets: found, issues }
}
