/**
 * What is loaded: the five-resource page, and graphs of numbered nodes.
 *
 * Every value is a number that depends on the values before it, so that two contenders which agree on the last values
 * agree on all of them.
 */
export interface Graph {
  readonly name: string
  readonly size: number
  /** What each node depends on. Dependencies have lower numbers than their dependents. */
  readonly dependencies: ReadonlyArray<ReadonlyArray<number>>
  /** The nodes by the longest path to them: what code that goes level by level works from. */
  readonly levels: ReadonlyArray<ReadonlyArray<number>>
  /** The nodes that nothing depends on: what is asked for. */
  readonly sinks: ReadonlyArray<number>
}

/** The value of a node: cheap, whole, and different for nearly every set of dependencies. */
export const mix = (seed: number, values: ReadonlyArray<number>): number => {
  let value = seed + 1
  for (const other of values) value = (value * 31 + other) % 1_000_003
  return value
}

const toGraph = (name: string, dependencies: ReadonlyArray<ReadonlyArray<number>>): Graph => {
  const level: Array<number> = []
  const levels: Array<Array<number>> = []
  const needed = new Set<number>()
  dependencies.forEach((mine, i) => {
    const own = mine.reduce((most, j) => Math.max(most, level[j]! + 1), 0)
    level.push(own)
    ;(levels[own] ??= []).push(i)
    for (const j of mine) needed.add(j)
  })
  const sinks = dependencies.map((_, i) => i).filter((i) => !needed.has(i))
  return { name, size: dependencies.length, dependencies, levels, sinks }
}

export const chain = (size: number): Graph =>
  toGraph(
    `chain of ${size}`,
    Array.from({ length: size }, (_, i) => (i === 0 ? [] : [i - 1]))
  )

/** One node that everything else depends on. */
export const fan = (size: number): Graph =>
  toGraph(
    `fan of ${size.toLocaleString("en")}`,
    Array.from({ length: size }, (_, i) => (i === 0 ? [] : [0]))
  )

/** Numbers that look random and are the same each time: mulberry32. */
const random = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
}

const edgesPerNode = 3

/** Layers of equal width; each node depends on three different ones of the layer before it. */
export const layered = (size: number, width = Math.max(100, Math.round(size / 100))): Graph => {
  const next = random(size)
  const dependenciesOf = (i: number): ReadonlyArray<number> => {
    const first = (Math.floor(i / width) - 1) * width
    if (first < 0) return []
    const chosen = new Set<number>()
    while (chosen.size < edgesPerNode) chosen.add(first + Math.floor(next() * width))
    return [...chosen]
  }
  return toGraph(
    `layers, ${size.toLocaleString("en")}`,
    Array.from({ length: size }, (_, i) => dependenciesOf(i))
  )
}

/** The values of the sinks by the plainest road there is: a loop. Everybody has to agree with it. */
export const expectedOf = ({ dependencies, sinks }: Graph): ReadonlyArray<number> => {
  const values: Array<number> = []
  dependencies.forEach((mine, i) => {
    values.push(
      mix(
        i,
        mine.map((j) => values[j]!)
      )
    )
  })
  return sinks.map((i) => values[i]!)
}
