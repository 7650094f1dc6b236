/** What was promised, beside what was measured. */
import { type Batched, batchedAgainst } from "./batches.ts"
import type { BundleSize } from "./bundle.ts"
import { type Caching, hit } from "./caching.ts"
import type { Growth } from "./growth.ts"
import { adapting, type Limiting } from "./limiting.ts"
import { type Cell, find } from "./speed.ts"
import { kib, ratio, table } from "./table.ts"
import type { TypeCost } from "./typecost.ts"
import type { Watching } from "./watching.ts"

export interface Figures {
  readonly cells: ReadonlyArray<Cell>
  readonly growth: ReadonlyArray<Growth>
  readonly watching: ReadonlyArray<Watching>
  readonly batches: ReadonlyArray<Batched>
  readonly caching: ReadonlyArray<Caching>
  readonly limiting: Limiting
  readonly types: ReadonlyArray<TypeCost>
  readonly bundles: ReadonlyArray<BundleSize>
}

export interface Budget {
  readonly name: string
  readonly budget: string
  readonly measured: string
  readonly met: boolean
  /** Whether a miss fails the command. A timing never does: it depends on the machine and its neighbours. */
  readonly decides: boolean
}

interface Bound {
  readonly decides?: boolean
  readonly show?: (value: number) => string
}

const atMost = (name: string, value: number | undefined, most: number, bound: Bound = {}): ReadonlyArray<Budget> => {
  if (value === undefined) return []
  const show = bound.show ?? ratio
  return [
    { name, budget: `<= ${show(most)}`, measured: show(value), met: value <= most, decides: bound.decides ?? false }
  ]
}

const timesFaster = (name: string, value: number | undefined, least: number): ReadonlyArray<Budget> => {
  if (value === undefined) return []
  const times = 1 / value
  return [
    { name, budget: `>= ${least} x faster`, measured: `${times.toFixed(1)} x`, met: times >= least, decides: false }
  ]
}

const pageBudgets = (cells: ReadonlyArray<Cell>): ReadonlyArray<Budget> =>
  ["page of 5", "three roots", "diamond"].flatMap((page) => {
    const against = (body: string, other: string) => find(cells, page, body, other)?.ratio
    return [
      ...atMost(`${page}, sync: ours / Effect.all`, against("sync", "Effect.all"), 0.9),
      ...atMost(`${page}, microtask: ours / Effect.all`, against("microtask", "Effect.all"), 0.9),
      ...atMost(`${page}, microtask: ours / Effect.gen`, against("microtask", "Effect.gen"), 0.55)
    ]
  })

const layerBudgets = (cells: ReadonlyArray<Cell>): ReadonlyArray<Budget> => {
  const against = (body: string, other: string) => find(cells, "layers, 1,000", body, other)?.ratio
  return [
    ...atMost("1,000, sync: ours / Effect.forEach by level", against("sync", "Effect.all"), 1.4),
    ...atMost("1,000, microtask: ours / Effect.forEach by level", against("microtask", "Effect.all"), 1.3),
    ...timesFaster("1,000, sync: against p-graph", against("sync", "p-graph"), 2.5),
    ...timesFaster("1,000, microtask: against p-graph", against("microtask", "p-graph"), 1.2),
    ...timesFaster("1,000, sync: against async.auto", against("sync", "async.auto"), 100),
    ...timesFaster("1,000, microtask: against async.auto", against("microtask", "async.auto"), 50)
  ]
}

const watchingBudgets = (found: ReadonlyArray<Watching>): ReadonlyArray<Budget> =>
  found.flatMap(({ spans, what }) => atMost(`spans, ${what}: ours / Effect.all with Effect.withSpan`, spans.ratio, 1.2))

const fewestCalls = 3

const batchBudgets = (batches: ReadonlyArray<Batched>): ReadonlyArray<Budget> => {
  const against = (name: string) => batchedAgainst(batches, "1,000 keys", name)
  const held = batches.find(({ name, what }) => what.endsWith("out of step") && name === "ours, graph-aware")
  return [
    ...timesFaster("1,000 keys, a list: against Effect.request", against("Effect.request"), 0.9),
    ...timesFaster("1,000 keys, a list: against dataloader in Effect", against("dataloader in Effect"), 1),
    ...timesFaster("1,000 keys, a list: against dataloader alone", against("dataloader alone"), 1),
    ...atMost("3 x 50, graph-aware: calls", held?.calls, fewestCalls, { show: String })
  ]
}

const cachingBudgets = (found: ReadonlyArray<Caching>): ReadonlyArray<Budget> =>
  atMost("a hit in memory: ours / Cache.get of effect", found.find(({ what }) => what === hit)?.ratio, 1.2)
const limiterBudgets = ({ contended, sample, uncontended }: Limiting): ReadonlyArray<Budget> => {
  const toSemaphore = uncontended.find(({ what }) => what === adapting)?.toSemaphore
  const eachOf = (count: number) => contended.find(({ waiters }) => waiters === count)?.limiter
  const [few, many] = [eachOf(1000), eachOf(100_000)]
  return [
    ...atMost("a permit, nobody waiting: a limit that adapts / Semaphore", toSemaphore, 1.5),
    ...atMost("growth, each of those who wait: 100,000 / 1,000", few && many && many / few, 2),
    ...atMost("from asking to having learned: steps of flatMap", sample.steps, 10)
  ]
}

const typeBudgets = (types: ReadonlyArray<TypeCost>): ReadonlyArray<Budget> => {
  const cost = types.find(({ size }) => size === 300)
  return [
    ...atMost("300 resources: instantiations each", cost?.instantiationsEach, 350, {
      decides: true,
      show: (value) => value.toFixed(0)
    }),
    ...atMost("300 resources: check time", cost?.checkSeconds, 1, { show: (value) => `${value.toFixed(2)} s` })
  ]
}

export const growthBudgets = (growth: ReadonlyArray<Growth>): ReadonlyArray<Budget> =>
  growth.flatMap(({ most, ratio: grown, what }) => atMost(`growth, ${what}: 100,000 / 1,000`, grown, most))

/** The budgets of `measurePages`. */
export const speedBudgets = (cells: ReadonlyArray<Cell>): ReadonlyArray<Budget> => [
  equalValues(cells),
  ...pageBudgets(cells),
  ...layerBudgets(cells)
]

/** The most that a program may take beyond effect, by both bundlers. */
const sizes = [
  { what: "declares and loads", rolldown: 10 * 1024, esbuild: 10 * 1024 },
  { what: "the same with timeout and retry", rolldown: 13 * 1024, esbuild: 14 * 1024 }
]

const sizeBudgets = (bundles: ReadonlyArray<BundleSize>): ReadonlyArray<Budget> =>
  sizes.flatMap(({ what, ...most }) =>
    bundles
      .filter((bundle) => bundle.what === what)
      .flatMap(({ bundler, effectGzip, gzip }) =>
        atMost(`size, gzip, ${bundler}: ${what}`, gzip - effectGzip, most[bundler], { show: kib })
      )
  )

const equalValues = (cells: ReadonlyArray<Cell>): Budget => {
  const unequal = cells.flatMap((cell) => cell.unequal.map((name) => `${name} (${cell.workload}, ${cell.body})`))
  return {
    name: "all contenders load equal values",
    budget: "all",
    measured: unequal.length === 0 ? "all" : `not ${unequal.join(", ")}`,
    met: unequal.length === 0,
    decides: true
  }
}

export const budgetsOf = ({
  batches,
  bundles,
  caching,
  cells,
  growth,
  limiting,
  types,
  watching
}: Figures): ReadonlyArray<Budget> => [
  ...speedBudgets(cells),
  ...growthBudgets(growth),
  ...watchingBudgets(watching),
  ...batchBudgets(batches),
  ...cachingBudgets(caching),
  ...limiterBudgets(limiting),
  ...typeBudgets(types),
  ...sizeBudgets(bundles)
]

export const budgetTable = (budgets: ReadonlyArray<Budget>): string =>
  table(
    ["budget", "promised", "measured", ""],
    budgets.map(({ budget, measured, met, name }) => [name, budget, measured, met ? "ok" : "NOT MET"])
  )
