/** Every workload with every kind of body, every contender in turn. */
import { bodies, type Body } from "./body.ts"
import { contenders } from "./contenders/index.ts"
import type { Contender, Prepared } from "./contenders/Contender.ts"
import { again, contender, eager } from "./contenders/ours.ts"
import { compareWith } from "./libraries.ts"
import { compete, type Measured, type Rounds } from "./measure.ts"
import { expectedPage } from "./page.ts"
import { type Probe, probe } from "./probe.ts"
import { diamond } from "./shapes/diamond.ts"
import { roots } from "./shapes/roots.ts"
import * as Shape from "./shapes/Shape.ts"
import { duration, ratio, round, table } from "./table.ts"
import { chain, expectedOf, fan, type Graph, layered } from "./workload.ts"

/** A contender that was not part of the rounds, and why. */
interface Absent {
  readonly name: string
  readonly why: string
  /** Nanoseconds, where it finished one run in a process of its own. */
  readonly once?: number
}

export interface Cell {
  readonly workload: string
  readonly body: string
  readonly size: number
  readonly measured: ReadonlyArray<Measured>
  readonly absent: ReadonlyArray<Absent>
  /** Who loaded other values than the loop that says what is right. */
  readonly unequal: ReadonlyArray<string>
}

interface Workload {
  readonly name: string
  readonly size: number
  readonly rounds: Rounds
  readonly expected: () => ReadonlyArray<number>
  readonly prepare: (contender: Contender, body: Body) => Prepared | undefined
  /** Whether a contender may take so long, or so much stack, that it has to be tried elsewhere first. */
  readonly tryFirst: boolean
}

const page = (rounds: Rounds): Workload => ({
  name: "page of 5",
  size: 5,
  rounds,
  expected: expectedPage,
  prepare: (contender, body) => contender.page?.(body),
  tryFirst: false
})

const ofShape = (shape: Shape.Shape, rounds: Rounds): Workload => ({
  name: shape.name,
  size: shape.names.length,
  rounds,
  expected: () => Shape.expectedOf(shape),
  prepare: (contender, body) => contender.shape?.(shape, body),
  tryFirst: false
})

const pages = (rounds: Rounds): ReadonlyArray<Workload> => [
  page(rounds),
  ofShape(roots, rounds),
  ofShape(diamond, rounds)
]

const ofGraph = (graph: Graph, rounds: Rounds): Workload => ({
  name: graph.name,
  size: graph.size,
  rounds,
  expected: () => expectedOf(graph),
  prepare: (contender, body) => contender.graph?.(graph, body),
  tryFirst: graph.size >= 10_000
})

const full = (): ReadonlyArray<Workload> => {
  const small: Rounds = { warmUp: 3, measured: 21, sampleMs: 6 }
  return [
    ...pages({ warmUp: 10, measured: 61, sampleMs: 6 }),
    ofGraph(chain(100), small),
    ofGraph(fan(1000), small),
    ofGraph(layered(1000), small),
    ofGraph(layered(10_000), { warmUp: 2, measured: 9, sampleMs: 6 }),
    ofGraph(layered(100_000), { warmUp: 1, measured: 5, sampleMs: 6 })
  ]
}

const quick = (): ReadonlyArray<Workload> => {
  const rounds: Rounds = { warmUp: 1, measured: 5, sampleMs: 3 }
  return [...pages(rounds), ofGraph(chain(100), rounds), ofGraph(fan(1000), rounds), ofGraph(layered(1000), rounds)]
}

/** A peer that takes longer for one run is printed as such. */
const boundSeconds = 60

/** One run longer than this is enough to know. */
const onceMs = 3000

/** Others are known to finish: each of them is one pass over the graph. */
const needsTrying = new Set(["Effect.cached", "better-all", "p-graph", "async.auto"])

const absence = (name: string, found: Probe): Absent | undefined => {
  switch (found._tag) {
    case "TooLong":
      return { name, why: `> ${found.seconds} s` }
    case "Crashed":
      return { name, why: "crashes" }
    case "Finished":
      return found.ms < onceMs ? undefined : { name, why: `${duration(found.ms * 1e6)}, once`, once: found.ms * 1e6 }
  }
}

/** Who took too long for a size with one kind of body: with another they are not tried. */
const tooLong = new Set<string>()

const tryOut = async (workload: Workload, body: Body, name: string): Promise<Absent | undefined> => {
  if (!workload.tryFirst || !needsTrying.has(name)) return undefined
  const key = `${name} ${workload.size}`
  if (tooLong.has(key)) return { name, why: "not tried" }
  const absent = absence(name, await probe(workload.size, body.name, name, boundSeconds))
  if (absent?.why.startsWith(">") === true) tooLong.add(key)
  return absent
}

const sameValues = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i])

const measureCell = async (workload: Workload, body: Body, contenders: ReadonlyArray<Contender>): Promise<Cell> => {
  const expected = workload.expected()
  const present: Array<Prepared & { readonly name: string }> = []
  const absent: Array<Absent> = []
  for (const contender of contenders) {
    const { name } = contender
    const missing = await tryOut(workload, body, name)
    if (missing !== undefined) absent.push(missing)
    else {
      const prepared = workload.prepare(contender, body)
      if (prepared !== undefined) present.push({ name, ...prepared })
    }
  }
  const measured = await compete(present, workload.rounds)
  const unequal = present.filter(({ values }) => !sameValues(values(), expected)).map(({ name }) => name)
  return { workload: workload.name, body: body.name, size: workload.size, measured, absent, unequal }
}

interface Selection {
  readonly workloads: ReadonlyArray<Workload>
  readonly bodies: ReadonlyArray<Body>
  readonly contenders: ReadonlyArray<Contender>
}

type Tell = (line: string) => void

const measure = async ({ bodies, contenders, workloads }: Selection, tell: Tell): Promise<ReadonlyArray<Cell>> => {
  const cells: Array<Cell> = []
  for (const workload of workloads) {
    for (const body of bodies) {
      tell(`${workload.name}, ${body.name}`)
      cells.push(await measureCell(workload, body, contenders))
    }
  }
  return cells
}

export const measureSpeed = (isQuick: boolean, tell: Tell): Promise<ReadonlyArray<Cell>> =>
  measure({ workloads: isQuick ? quick() : full(), bodies, contenders }, tell)

const rivals = contenders.filter(({ name }) => ["Effect.all", "Effect.gen", "p-graph"].includes(name))

/**
 * The pages and layers of 1,000, synchronous and in microtasks, in less than a minute: for work on the core. With a
 * commit, core as it was then takes part.
 */
export const measurePages = async (tell: Tell, commit?: string): Promise<ReadonlyArray<Cell>> => {
  const ours = commit === undefined ? [eager, again] : await sinceCommit(commit)
  const selection = { bodies: bodies.filter(({ name }) => name !== "setImmediate"), contenders: [...ours, ...rivals] }
  // Code that several cases share is compiled for all of them before the first is measured.
  await measure({ ...selection, workloads: pages({ warmUp: 0, measured: 60, sampleMs: 2 }) }, () => {})
  const workloads = [
    ...pages({ warmUp: 40, measured: 121, sampleMs: 2 }),
    ofGraph(layered(1000), { warmUp: 20, measured: 61, sampleMs: 2 })
  ]
  return measure({ ...selection, workloads }, tell)
}

const sinceCommit = async (commit: string): Promise<ReadonlyArray<Contender>> => {
  const { before, now } = await compareWith(commit)
  return [contender("ours", { library: now }), contender(`ours at ${commit}`, { library: before })]
}

export const find = (cells: ReadonlyArray<Cell>, workload: string, body: string, contender: string) =>
  cells
    .find((cell) => cell.workload === workload && cell.body === body)
    ?.measured.find(({ name }) => name === contender)

const entryOf = (cell: Cell, name: string): string => {
  const measured = cell.measured.find((one) => one.name === name)
  if (measured !== undefined) return `${ratio(measured.ratio)} (${duration(measured.median)})`
  const absent = cell.absent.find((one) => one.name === name)
  if (absent === undefined) return "-"
  return absent.once === undefined ? absent.why : `${ratio(cell.measured[0]!.median / absent.once)} (${absent.why})`
}

export const speedTable = (cells: ReadonlyArray<Cell>): string => {
  const [ours, ...others] = contenders.map(({ name }) => name)
  const rows = cells.map((cell) => {
    const { median } = cell.measured[0]!
    return [
      cell.workload,
      cell.body,
      duration(median),
      duration(median / cell.size),
      ...others.map((name) => entryOf(cell, name))
    ]
  })
  return table(["workload", "bodies", ours!, "a resource", ...others], rows, 2)
}

/** Ours / theirs: the median of the ratios of rounds, the ratio of lower deciles, and their lower decile. */
const ratiosOf = (cell: Cell, name: string): string => {
  const other = cell.measured.find((one) => one.name === name)
  if (other === undefined) return "-"
  return `${ratio(other.ratio)}, ${ratio(cell.measured[0]!.low / other.low)} (${duration(other.low)})`
}

export const pagesTable = (cells: ReadonlyArray<Cell>): string => {
  const [ours, ...others] = cells[0]!.measured.map(({ name }) => name)
  const rows = cells.map((cell) => [
    cell.workload,
    cell.body,
    duration(cell.measured[0]!.low),
    ...others.map((name) => ratiosOf(cell, name))
  ])
  return table(["workload", "bodies", ours!, ...others], rows, 2)
}

/** The figures of all cells, for the results file: `[ns a run, ours / theirs]`. */
export const speedJson = (cells: ReadonlyArray<Cell>) =>
  cells.map(({ absent, body, measured, workload }) => ({
    workload,
    body,
    ...Object.fromEntries(measured.map(({ median, name, ratio }) => [name, [round(median), round(ratio)]])),
    ...Object.fromEntries(absent.map(({ name, why }) => [name, why]))
  }))
