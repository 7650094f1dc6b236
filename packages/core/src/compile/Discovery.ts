/**
 * From targets to all the nodes that they need, dependencies before dependents.
 *
 * A depth-first walk with a stack of its own, so that a chain of 100,000 resources needs no recursion. The order in
 * which it leaves the nodes is the declaration order of everything after: targets from first to last, each one's
 * dependencies before it, in the order of their keys.
 */
import { kindOf, valueText } from "../base/ValueText.ts"
import { type Base, baseOf, type Dependencies, type Node, type Source } from "../model/Node.ts"
import { isResource, nodeOf } from "../model/Resource.ts"
import { cyclesOf } from "./Cycles.ts"
import type { GraphIssue, NotAResource } from "./GraphError.ts"
import type { Substitution } from "./Substitution.ts"

/** A node that was found, with what it reads, by key, and what it only waits for. */
export interface Found {
  readonly node: Node
  readonly keys: ReadonlyArray<string>
  readonly dependencies: ReadonlyArray<Node>
  readonly after: ReadonlyArray<Node>
  /** What it may choose, by the value that chooses it; the one without is for every other value. */
  readonly cases: ReadonlyArray<Case>
  /** How many batches it takes until it is done, if every level waits for the last; 0 for what is given. */
  level: number
  /** Its place in the program, once it has one. */
  index: number
}

interface Case {
  readonly value: string | undefined
  readonly node: Node
}

export interface Discovery {
  /** Dependencies before dependents. Meaningless where there are issues. */
  readonly found: ReadonlyArray<Found>
  readonly foundBy: ReadonlyMap<Node, Found>
  readonly targets: ReadonlyArray<readonly [key: string, node: Node]>
  readonly issues: ReadonlyArray<GraphIssue>
}

const none: ReadonlyArray<never> = []

/** Objects that hold no resources by key, whatever properties they have. */
const noRecords: ReadonlySet<string> = new Set(["Promise", "thenable", "resource", "loader", "Effect"])

/** The level of a node that was entered and not left yet. */
const open = -1

/** A view is part of its resource, so it adds nothing to a path; everything else that is not there already is one. */
export const weight = (node: Node): number => (node._tag === "Base" && node.source.kind.isGiven !== true ? 1 : 0)

const showValue = (value: unknown): string => {
  if (value === null) return "null"
  if (typeof value === "function") return "a function"
  return typeof value === "object"
    ? "an object"
    : String(value as string | number | boolean | bigint | symbol | undefined)
}

/** Is told of each resource that runs another loader, and how to get at that one. */
export type LookInside = (resource: string, source: Source) => void

interface Visit {
  readonly found: Found
  readonly edges: ReadonlyArray<Node>
  /** How many of the edges, the first, it waits for; the others are what it may choose. */
  readonly waits: number
  /** The lowest level that it can have: what a choice may choose comes after all that the choice waits for. */
  readonly floor: number
  /** The highest level of what it waits for. */
  waited: number
  next: number
}

class Walk {
  private readonly standIn: (node: Node) => Node
  readonly found: Array<Found> = []
  readonly issues: Array<GraphIssue> = []
  /** Every node that was entered. Those that were not left yet are on the stack. */
  readonly foundBy = new Map<Node, Found>()
  private readonly stack: Array<Visit> = []
  private readonly inside: LookInside
  private isCyclic = false

  constructor(substitution: Substitution, inside: LookInside) {
    this.standIn = substitution.apply?.(substitution) ?? ((node) => node)
    this.inside = inside
  }

  visit(root: Node): void {
    this.enter(root, 0)
    for (let frame = this.stack.at(-1); frame !== undefined; frame = this.stack.at(-1)) {
      const next = frame.edges[frame.next++]
      if (next === undefined) this.leave(frame)
      else this.enter(next, frame.next > frame.waits ? this.waitedFor(frame) : frame.floor)
    }
  }

  /** The resource behind a value that a user gave, or an issue that says where it was given. */
  resolve(value: unknown, place: Omit<NotAResource, "_tag" | "value">): Node | undefined {
    if (!isResource(value)) {
      this.issues.push({ _tag: "NotAResource", ...place, value: showValue(value) })
      return undefined
    }
    return this.standIn(nodeOf(value))
  }

  private enter(node: Node, floor: number): void {
    const known = this.foundBy.get(node)
    if (known !== undefined) {
      if (known.level === open) this.isCyclic = true
      return
    }
    const found = node._tag === "View" ? readView(node, node.parent) : this.readBase(node)
    this.foundBy.set(node, found)
    const edges = edgesOf(found)
    this.stack.push({ found, edges, waits: edges.length - found.cases.length, floor, waited: open, next: 0 })
  }

  /** The level that is reached when there is all that a choice waits for. */
  private waitedFor(frame: Visit): number {
    if (frame.waited === open) frame.waited = this.highest(frame.edges.slice(0, frame.waits), frame.floor)
    return frame.waited
  }

  private leave({ edges, floor, found }: Visit): void {
    this.stack.pop()
    found.level = this.highest(edges, floor) + weight(found.node)
    this.found.push(found)
  }

  private highest(nodes: ReadonlyArray<Node>, floor: number): number {
    let level = floor
    for (const node of nodes) level = Math.max(level, this.foundBy.get(node)!.level)
    return level
  }

  private readBase(base: Base): Found {
    const { name: resource, source } = base
    if (typeof resource !== "string" || resource === "") {
      this.issues.push({ _tag: "InvalidName", name: resource, use: `a resource (${source.kind.name})` })
    }
    const keys: Array<string> = []
    const dependencies: Array<Node> = []
    const after: Array<Node> = []
    const place = source.cases === undefined ? "dependency" : "on"
    for (const [key, value] of this.entries(source.deps, resource)) {
      const node = this.resolve(value, place === "on" ? { place, resource } : { place, resource, key })
      if (node === undefined) continue
      keys.push(key)
      dependencies.push(node)
    }
    const cases = source.cases === undefined ? none : this.readCases(resource, source.cases, source.orElse)
    for (const [i, value] of this.call(() => Array.from(source.after()), resource).entries()) {
      const node = this.resolve(value, { place: "after", resource, key: String(i) })
      if (node !== undefined) after.push(node)
    }
    if (source.loader !== undefined) this.inside(resource, source)
    return { node: base, keys, dependencies, after, cases, level: open, index: -1 }
  }

  private readCases(resource: string, cases: Dependencies, orElse: unknown): ReadonlyArray<Case> {
    const found: Array<Case> = []
    for (const [key, given] of this.entries(() => cases, resource)) {
      const node = this.resolve(given, { place: "case", resource, key })
      if (node !== undefined) found.push({ value: key, node })
    }
    const otherwise = orElse === undefined ? undefined : this.resolve(orElse, { place: "orElse", resource })
    if (otherwise !== undefined) found.push({ value: undefined, node: otherwise })
    return found
  }

  /** What a record of resources holds. Keys that objects treat in ways of their own would lose their values. */
  entries(record: () => object, owner: string): ReadonlyArray<readonly [key: string, value: unknown]> {
    return this.call(() => {
      const given: unknown = record()
      if (typeof given !== "object" || given === null || noRecords.has(kindOf(given)) || Symbol.iterator in given) {
        throw new TypeError(`an object of resources was expected, by local key, and ${valueText(given)} came`)
      }
      const odd = [...Object.getOwnPropertySymbols(given), ...(Object.hasOwn(given, "__proto__") ? ["__proto__"] : [])]
      for (const key of odd) this.issues.push({ _tag: "InvalidName", name: key, use: `a key of "${owner}"` })
      return Object.entries(given)
    }, owner)
  }

  /** Calls what a user wrote; what it throws is an issue. */
  private call<A>(thunk: () => ReadonlyArray<A>, resource: string): ReadonlyArray<A> {
    try {
      return thunk()
    } catch (defect) {
      this.issues.push({ _tag: "InvalidDependencies", resource, defect })
      return none
    }
  }

  /** Tells of all cycles, if there are any. A resource and its views are one to the reader. */
  reportCycles(): void {
    if (!this.isCyclic) return
    const bases = Array.from(this.foundBy.values()).filter(({ node }) => node._tag === "Base")
    const indexOf = new Map(bases.map(({ node }, i) => [node, i]))
    const waitsFor = (found: Found) => Array.from(new Set(edgesOf(found).map((node) => indexOf.get(baseOf(node))!)))
    const { cycles, untold } = cyclesOf(bases.map(waitsFor))
    for (const cycle of cycles) this.issues.push({ _tag: "Cycle", path: cycle.map((i) => bases[i]!.node.name) })
    if (untold > 0) this.issues.push({ _tag: "MoreCycles", dependencies: untold })
  }
}

const readView = (node: Node, parent: Node): Found => ({
  node,
  keys: none,
  dependencies: [parent],
  after: none,
  cases: none,
  level: open,
  index: -1
})

/** All that a node may wait for, in declaration order. */
const edgesOf = ({ after, cases, dependencies }: Found): ReadonlyArray<Node> =>
  after.length === 0 && cases.length === 0
    ? dependencies
    : [...dependencies, ...after, ...cases.map(({ node }) => node)]

/** Where each of these bases is used, in words. */
const usesOf = (
  bases: ReadonlySet<Base>,
  discovery: Pick<Discovery, "found" | "targets">
): ReadonlyMap<Base, ReadonlyArray<string>> => {
  const uses = new Map<Base, Array<string>>(Array.from(bases, (base) => [base, []]))
  const note = (node: Node, use: string): void => void uses.get(baseOf(node))?.push(use)
  for (const [key, node] of discovery.targets) note(node, `target "${key}"`)
  for (const { after, cases, dependencies, keys, node } of discovery.found) {
    if (node._tag === "View") continue
    dependencies.forEach((dependency, i) => note(dependency, `"${node.name}" (as ${keys[i]})`))
    for (const earlier of after) note(earlier, `"${node.name}" (in after)`)
    for (const { node: chosen, value } of cases) {
      note(chosen, value === undefined ? `"${node.name}" (in orElse)` : `"${node.name}" (for ${value})`)
    }
  }
  return uses
}

/** The bases that share their name with another one, by that name. */
const clashes = (found: ReadonlyArray<Found>): ReadonlyMap<string, ReadonlyArray<Base>> => {
  const first = new Map<string, Base>()
  const clashing = new Map<string, Array<Base>>()
  for (const { node } of found) {
    // What is given stands for a view of a resource, which others may still need to be loaded.
    if (node._tag === "View" || node.source.kind.isSubstitute === true) continue
    const known = first.get(node.name)
    if (known === undefined) first.set(node.name, node)
    else if (clashing.has(node.name)) clashing.get(node.name)!.push(node)
    else clashing.set(node.name, [known, node])
  }
  return clashing
}

const duplicates = (discovery: Pick<Discovery, "found" | "targets">): ReadonlyArray<GraphIssue> => {
  const clashing = clashes(discovery.found)
  if (clashing.size === 0) return none
  const uses = usesOf(new Set(Array.from(clashing.values()).flat()), discovery)
  return Array.from(clashing, ([name, bases]) => ({
    _tag: "DuplicateName" as const,
    name,
    uses: bases.map((base) => uses.get(base)!),
    sameDeclaration: bases.every((base) => base.origin === bases[0]!.origin)
  }))
}

/** All that the targets need, and everything that is wrong with how it hangs together. */
export const discover = (
  targets: Readonly<Record<string, unknown>>,
  substitution: Substitution,
  inside: LookInside
): Discovery => {
  const walk = new Walk(substitution, inside)
  const roots: Array<readonly [string, Node]> = []
  for (const [key, value] of walk.entries(() => targets, "targets")) {
    const node = walk.resolve(value, { place: "target", key })
    if (node === undefined) continue
    roots.push([key, node])
    walk.visit(node)
  }
  walk.reportCycles()
  const found = { found: walk.found, foundBy: walk.foundBy, targets: roots }
  return { ...found, issues: [...walk.issues, ...duplicates(found)] }
}
