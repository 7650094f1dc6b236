/**
 * Finds cycles, so that every dependency that closes a cycle is in at least one of them.
 *
 * Kosaraju's strongly connected components (M. Sharir, "A strong-connectivity algorithm and its applications in data flow
 * analysis", 1981): the walk that found the graph left the nodes in the order that the algorithm needs. An edge closes a cycle
 * exactly if both its ends are in one component. For each such edge that is in no cycle so far, the shortest path back from
 * its end to its start makes another cycle.
 */

/** For each node, the nodes that it waits for. */
export type Edges = ReadonlyArray<ReadonlyArray<number>>

export interface Cycles {
  /** Each starts and ends with the same node. */
  readonly cycles: ReadonlyArray<ReadonlyArray<number>>
  /** The number of edges that close other cycles. */
  readonly untold: number
}

/** A graph of n edges can need n cycles, each as long as the graph. These limits bound their number and the search. */
const mostCycles = 1_000
const effortPerEdge = 64
const leastEffort = 1_000_000

const none = -1

/** A representative of each node's component: nodes that lead to it and that no later node reaches. */
const componentsOf = (edges: Edges, left: ReadonlyArray<number>): Int32Array => {
  const before = edges.map((): Array<number> => [])
  edges.forEach((some, node) => {
    for (const next of some) before[next]!.push(node)
  })
  const component = new Int32Array(edges.length).fill(none)
  for (const root of left.toReversed()) {
    const members = [root]
    // The iteration of an array also visits items that are added meanwhile.
    for (const member of members) {
      if (component[member] !== none) continue
      component[member] = root
      for (const node of before[member]!) members.push(node)
    }
  }
  return component
}

/**
 * Cycles that together contain every edge that closes a cycle, up to the limits. `left` has the nodes in an order in which a
 * depth-first walk left them.
 */
export const cyclesOf = (edges: Edges, left: ReadonlyArray<number>): Cycles => {
  const component = componentsOf(edges, left)
  /** The predecessor of each node on a shortest path, and the edge for which it was found. */
  const before = new Int32Array(edges.length)
  const foundFor = new Int32Array(edges.length)
  const told = edges.map(() => new Set<number>())
  const cycles: Array<ReadonlyArray<number>> = []
  let untold = 0
  let effort = leastEffort
  for (const some of edges) effort += effortPerEdge * some.length
  edges.forEach((some, node) => {
    for (const next of some) {
      if (component[next] !== component[node] || told[node]!.has(next)) continue
      if (cycles.length === mostCycles || effort < 0) {
        untold++
        continue
      }
      const search = cycles.length + 1
      const queue = [next]
      foundFor[next] = search
      for (let head = 0; foundFor[node] !== search; head++) {
        const at = queue[head]!
        for (const one of edges[at]!) {
          effort--
          if (foundFor[one] === search || component[one] !== component[node]) continue
          foundFor[one] = search
          before[one] = at
          queue.push(one)
        }
      }
      const cycle = [node]
      for (let at = node; at !== next; cycle.push(at)) at = before[at]!
      cycle.push(node)
      cycles.push(cycle.reverse())
      for (let k = 1; k < cycle.length; k++) told[cycle[k - 1]!]!.add(cycle[k]!)
      // A single path may be as long as the graph.
      effort -= cycle.length
    }
  })
  return { cycles, untold }
}
