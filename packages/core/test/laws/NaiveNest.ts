/**
 * What a run of nested graphs should come to where nothing limits it: lists in choices in loaders, worked out the slow
 * and obvious way, by recursion. It knows the design and nothing of the library.
 */

interface Part {
  readonly duration: number
  readonly fails: boolean
}

export type Nest =
  | ({ readonly _tag: "Load"; readonly deps: ReadonlyArray<number> } & Part)
  /** Its items are loaded by sleeping, or by a graph of their own. */
  | {
      readonly _tag: "List"
      readonly deps: ReadonlyArray<number>
      readonly items: ReadonlyArray<Part>
      readonly inner: NestedGraph | undefined
    }
  /** Chooses by whether what decides has an even value. */
  | { readonly _tag: "Match"; readonly on: number; readonly even: number; readonly odd: number }
  | { readonly _tag: "Loader"; readonly input: number | undefined; readonly inner: NestedGraph }

export interface NestedGraph {
  readonly nodes: ReadonlyArray<Nest>
  readonly targets: ReadonlyArray<number>
  readonly limit: number | undefined
}

export type Value = number | ReadonlyArray<Value> | { readonly [key: string]: Value }

export type Fate =
  | { readonly _tag: "Succeeded"; readonly at: number; readonly value: Value }
  | { readonly _tag: "Failed"; readonly at: number }
  | { readonly _tag: "Skipped"; readonly at: number }
  | { readonly _tag: "NotChosen" }

/** One number for any value, so that values stay small however deep they come from. */
export const digest = (value: unknown): number => {
  const text = JSON.stringify(value)
  let hash = 7
  for (let i = 0; i < text.length; i++) hash = (hash * 31 + text.charCodeAt(i)) % 1_000_003
  return hash
}

export const isEven = (value: unknown): boolean => digest(value) % 2 === 0

/** What becomes of everything that could run, by number, when each branch goes on as long as it can. */
export const settleNest = (graph: NestedGraph, input: Value, start: number): ReadonlyMap<number, Fate> => {
  // When each is wanted first. A choice can want what others did not, or earlier: so again, until nothing changes.
  const wanted = new Map<number, number>()
  const want = (n: number, at: number): boolean => {
    if ((wanted.get(n) ?? Infinity) <= at) return false
    wanted.set(n, at)
    for (const on of waitsFor(graph.nodes[n]!)) want(on, at)
    return true
  }
  for (const n of graph.targets) want(n, start)
  for (;;) {
    const fates = fatesOf(graph, input, wanted)
    const isNew = Array.from(wanted.keys()).map((n) => {
      const chosen = choiceOf(graph.nodes[n]!, fates)
      return chosen !== undefined && want(chosen.n, Math.max(wanted.get(n)!, chosen.at))
    })
    if (isNew.includes(true)) continue
    for (const n of mayRun(graph)) if (!fates.has(n)) fates.set(n, { _tag: "NotChosen" })
    return fates
  }
}

/** What a node waits for before it can do anything. */
const waitsFor = (node: Nest): ReadonlyArray<number> => {
  if (node._tag === "Match") return [node.on]
  if (node._tag === "Loader") return node.input === undefined ? [] : [node.input]
  return node.deps
}

/** What a choice chooses, and when, if what decides is there. */
const choiceOf = (
  node: Nest,
  fates: ReadonlyMap<number, Fate>
): { readonly n: number; readonly at: number } | undefined => {
  const on = node._tag === "Match" ? fates.get(node.on) : undefined
  if (node._tag !== "Match" || on?._tag !== "Succeeded") return undefined
  return { n: isEven(on.value) ? node.even : node.odd, at: on.at }
}

/** What becomes of what is wanted, if it is wanted from then on. */
const fatesOf = (graph: NestedGraph, input: Value, wanted: ReadonlyMap<number, number>): Map<number, Fate> => {
  const fates = new Map<number, Fate>()
  const decide = (n: number): Fate => {
    const node = graph.nodes[n]!
    const since = wanted.get(n)!
    const before = waitsFor(node).map(fateOf)
    const lost = before.flatMap((fate) => (fate._tag === "Failed" || fate._tag === "Skipped" ? [fate.at] : []))
    if (lost.length > 0) return { _tag: "Skipped", at: Math.max(since, Math.min(...lost)) }
    // What decides is not known yet, so this was looked at too early.
    if (before.some(({ _tag }) => _tag === "NotChosen")) return { _tag: "NotChosen" }
    const there = before as ReadonlyArray<Extract<Fate, { readonly _tag: "Succeeded" }>>
    const values = there.map(({ value }) => value)
    const at = Math.max(since, ...there.map((fate) => fate.at))
    switch (node._tag) {
      case "Load": {
        const end = at + node.duration
        return node.fails
          ? { _tag: "Failed", at: end }
          : { _tag: "Succeeded", at: end, value: digest([n, values, input]) }
      }
      case "Match": {
        const chosen = wanted.has(choiceOf(node, fates)!.n) ? fateOf(choiceOf(node, fates)!.n) : undefined
        if (chosen === undefined || chosen._tag === "NotChosen") return { _tag: "NotChosen" }
        return chosen._tag === "Succeeded"
          ? { ...chosen, at: Math.max(at, chosen.at) }
          : { _tag: "Skipped", at: Math.max(at, chosen.at) }
      }
      case "List":
        return allOf(
          node.items.map((item, k) => itemFate(node.inner, item, digest([n, k, values]), at)),
          at
        )
      case "Loader":
        return loadNest(node.inner, values[0] ?? 0, at)
    }
  }
  const fateOf = (n: number): Fate => {
    let fate = fates.get(n)
    if (fate === undefined) fates.set(n, (fate = decide(n)))
    return fate
  }
  for (const n of wanted.keys()) fateOf(n)
  return fates
}

/** Whatever a target, or a choice of one, could need. */
const mayRun = ({ nodes, targets }: NestedGraph): ReadonlySet<number> => {
  const found = new Set<number>()
  const visit = (n: number): void => {
    if (found.has(n)) return
    found.add(n)
    const node = nodes[n]!
    if (node._tag === "Match") [node.on, node.even, node.odd].forEach(visit)
    else if (node._tag === "Loader") [node.input].forEach((input) => input !== undefined && visit(input))
    else node.deps.forEach(visit)
  }
  targets.forEach(visit)
  return found
}

/** What a load comes to, which the first failure ends. */
export const loadNest = (graph: NestedGraph, input: Value, start: number): Fate => {
  const fates = settleNest(graph, input, start)
  const failed = Array.from(fates.values()).flatMap((fate) => (fate._tag === "Failed" ? [fate.at] : []))
  if (failed.length > 0) return { _tag: "Failed", at: Math.min(...failed) }
  const targets = graph.targets.map((n) => fates.get(n) as Extract<Fate, { readonly _tag: "Succeeded" }>)
  return {
    _tag: "Succeeded",
    at: Math.max(start, ...targets.map(({ at }) => at)),
    value: Object.fromEntries(targets.map(({ value }, k) => [`t${graph.targets[k]}`, value]))
  }
}

const itemFate = (inner: NestedGraph | undefined, item: Part, input: Value, start: number): Fate => {
  if (inner !== undefined) return loadNest(inner, input, start)
  const at = start + item.duration
  return item.fails ? { _tag: "Failed", at } : { _tag: "Succeeded", at, value: input }
}

const allOf = (fates: ReadonlyArray<Fate>, start: number): Fate => {
  const failed = fates.flatMap((fate) => (fate._tag === "Failed" ? [fate.at] : []))
  if (failed.length > 0) return { _tag: "Failed", at: Math.min(...failed) }
  const done = fates as ReadonlyArray<Extract<Fate, { readonly _tag: "Succeeded" }>>
  return { _tag: "Succeeded", at: Math.max(start, ...done.map(({ at }) => at)), value: done.map(({ value }) => value) }
}
