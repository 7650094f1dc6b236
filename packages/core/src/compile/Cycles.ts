/**
 * The cycles of a graph that has some, so that every dependency that closes one is in at least one of those told.
 *
 * Tarjan's strongly connected components (R. Tarjan, "Depth-First Search and Linear Graph Algorithms", 1972), with a
 * stack of its own: an edge closes a cycle exactly where both its ends are in one component. For each such edge that is in
 * no cycle told so far, the shortest way back from its end to its start is one more.
 */

/** For each node, the nodes that it waits for. */
export type Edges = ReadonlyArray<ReadonlyArray<number>>

export interface Cycles {
  /** Each starts and ends with the same node. */
  readonly cycles: ReadonlyArray<ReadonlyArray<number>>
  /** How many edges close cycles that are not among these. */
  readonly untold: number
}

/** A graph of n edges needs up to n cycles, each as long as the graph: this many are told, found with so much effort. */
const mostCycles = 1_000
const effortPerEdge = 64
const leastEffort = 1_000_000

const none = -1

/** The number of each node's component. */
const componentsOf = (edges: Edges): Int32Array => {
  const component = new Int32Array(edges.length).fill(none)
  const entered = new Int32Array(edges.length).fill(none)
  const lowest = new Int32Array(edges.length)
  const nextEdge = new Int32Array(edges.length)
  const unassigned: Array<number> = []
  let clock = 0
  let components = 0
  const path: Array<number> = []
  const enter = (node: number): void => {
    entered[node] = lowest[node] = clock++
    unassigned.push(node)
    path.push(node)
  }
  const leave = (node: number): void => {
    path.pop()
    const around = path.at(-1)
    if (around !== undefined) lowest[around] = Math.min(lowest[around]!, lowest[node]!)
    if (lowest[node] !== entered[node]) return
    for (let member = none; member !== node;) {
      member = unassigned.pop()!
      component[member] = components
    }
    components++
  }
  for (let root = 0; root < edges.length; root++) {
    if (entered[root] !== none) continue
    enter(root)
    for (let node = path.at(-1); node !== undefined; node = path.at(-1)) {
      const next = edges[node]![nextEdge[node]!++]
      if (next === undefined) leave(node)
      else if (entered[next] === none) enter(next)
      else if (component[next] === none) lowest[node] = Math.min(lowest[node]!, entered[next]!)
    }
  }
  return component
}

class Search {
  effort: number
  private readonly edges: Edges
  private readonly component: Int32Array
  /** The node before each one on a shortest way, and the search that has found it. */
  private readonly before: Int32Array
  private readonly foundIn: Int32Array
  private searches = 0

  constructor(edges: Edges, component: Int32Array) {
    this.edges = edges
    this.component = component
    this.before = new Int32Array(edges.length)
    this.foundIn = new Int32Array(edges.length)
    this.effort = leastEffort
    for (const some of edges) this.effort += effortPerEdge * some.length
  }

  /** A shortest way between two nodes of one component, both included. */
  way(from: number, to: number): ReadonlyArray<number> {
    const search = ++this.searches
    const queue = [from]
    this.foundIn[from] = search
    for (let head = 0; this.foundIn[to] !== search; head++) {
      const node = queue[head]!
      for (const next of this.edges[node]!) {
        this.effort--
        if (this.foundIn[next] === search || this.component[next] !== this.component[from]) continue
        this.foundIn[next] = search
        this.before[next] = node
        queue.push(next)
      }
    }
    const way = [to]
    for (let node = to; node !== from;) way.push((node = this.before[node]!))
    return way.reverse()
  }
}

/** Cycles that have every edge among them which closes any, up to so many. */
export const cyclesOf = (edges: Edges): Cycles => {
  const component = componentsOf(edges)
  const search = new Search(edges, component)
  const told = edges.map(() => new Set<number>())
  const cycles: Array<ReadonlyArray<number>> = []
  let untold = 0
  edges.forEach((some, node) => {
    for (const next of some) {
      if (component[next] !== component[node] || told[node]!.has(next)) continue
      if (cycles.length === mostCycles || search.effort < 0) {
        untold++
        continue
      }
      const way = search.way(next, node)
      // A path of its own may be as long as the graph.
      search.effort -= way.length
      const cycle = [node]
      for (const one of way) {
        told[cycle.at(-1)!]!.add(one)
        cycle.push(one)
      }
      cycles.push(cycle)
    }
  })
  return { cycles, untold }
}
