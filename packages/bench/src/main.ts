/**
 * Side by side: ours, hand-written code, and what else does this job. Prints tables; a full run keeps its figures in
 * `results/latest.json`.
 *
 * `--quick`: every contender once, on the small workloads, for a smoke test.
 * `--pages`: only pages and layers of 1,000, for work on the core. `--since=<commit>`: beside core as it was then. With
 * `--no-concurrent-recompilation --single-threaded-gc`, as the script `pages` has it, a busy machine disturbs it less:
 * otherwise threads of V8 come late, and whole cases run code that is not compiled.
 * `--growth`: only growth.
 */
import { availableParallelism } from "node:os"
import { budgetsOf, budgetTable, growthBudgets, speedBudgets, type Budget, type Figures } from "./budgets.ts"
import { batchesJson, batchesTable, measureBatches } from "./batches.ts"
import { bundleTable, measureBundles } from "./bundle.ts"
import { cachingTable, measureCaching } from "./caching.ts"
import { growthTable, measureGrowth } from "./growth.ts"
import { heapTable, measureHeap } from "./heap.ts"
import { limitingTables, measureLimiting } from "./limiting.ts"
import { measurePages, measureSpeed, pagesTable, speedJson, speedTable } from "./speed.ts"
import { writeRecord } from "./record.ts"
import { measureStartUp, startUpTable } from "./startup.ts"
import { round } from "./table.ts"
import { measureTypeCost, typeCostTable } from "./typecost.ts"
import { measureWatching, watchingJson, watchingTable } from "./watching.ts"

const isQuick = process.argv.includes("--quick")

/** Progress goes to the side, so that the output itself is only the tables. */
const tell = (line: string): void => void process.stderr.write(`  ${line}\n`)
const print = (...blocks: ReadonlyArray<string>): void => void process.stdout.write(`${blocks.join("\n\n")}\n\n`)

const machine = { node: process.version, cpus: availableParallelism() }

const measureAll = async () => {
  const cells = await measureSpeed(isQuick, tell)
  tell("growth")
  const growth = isQuick ? [] : await measureGrowth()
  tell("watching")
  const watching = await measureWatching(isQuick)
  tell("batches")
  const batches = await measureBatches(isQuick)
  tell("caching")
  const caching = await measureCaching(isQuick)
  tell("limiting")
  const limiting = await measureLimiting(isQuick)
  tell("starting up")
  const startUp = await measureStartUp(isQuick)
  tell("heap")
  const heap = await measureHeap(isQuick)
  tell("types")
  const types = await measureTypeCost(isQuick)
  tell("bundles")
  const bundles = await measureBundles()
  return { cells, growth, watching, batches, caching, limiting, startUp, heap, types, bundles }
}

type All = Awaited<ReturnType<typeof measureAll>>

const rounded = (value: object): object =>
  Object.fromEntries(
    Object.entries(value).map(([key, one]): [string, unknown] => {
      if (typeof one === "number") return [key, round(one)]
      return [key, Array.isArray(one) ? one.map((n: number) => round(n)) : one]
    })
  )

const save = async (
  { batches, bundles, caching, cells, growth, heap, limiting, startUp, types, watching }: All,
  budgets: ReadonlyArray<Budget>
) => {
  const results = {
    machine,
    speed: speedJson(cells),
    growth: growth.map(rounded),
    watching: watchingJson(watching),
    batches: batchesJson(batches),
    caching: caching.map(rounded),
    limiting: {
      uncontended: limiting.uncontended.map(rounded),
      contended: limiting.contended.map(rounded),
      sample: rounded(limiting.sample)
    },
    startUp: startUp.map(rounded),
    heap: heap.map(rounded),
    types: types.map(rounded),
    bundles: bundles.map(({ modules, ...size }) => ({ ...size, modules: modules.length })),
    budgets
  }
  await writeRecord("latest", results)
}

const show = (
  { batches, bundles, caching, cells, growth, heap, limiting, startUp, types, watching }: All,
  budgets: ReadonlyArray<Budget>
): void => {
  print(
    `Node ${machine.node}, ${machine.cpus} cores. "ours" is the time of one load; the others are the median over ` +
      "rounds of ours / theirs\n(below 1: ours is faster), and their own median time.",
    speedTable(cells)
  )
  if (!isQuick) print(growthTable(growth))
  print(
    watchingTable(watching),
    batchesTable(batches),
    cachingTable(caching),
    ...limitingTables(limiting),
    startUpTable(startUp),
    heapTable(heap),
    typeCostTable(types),
    "Beyond effect: gzip of the minified program, minus gzip of one that only names the parts of effect it uses.",
    bundleTable(bundles),
    budgetTable(budgets)
  )
}

const runAll = async (): Promise<ReadonlyArray<Budget>> => {
  const all = await measureAll()
  const budgets = budgetsOf(all satisfies Figures)
  show(all, budgets)
  if (!isQuick) await save(all, budgets)
  return budgets
}

const runPages = async (): Promise<ReadonlyArray<Budget>> => {
  const commit = process.argv.find((arg) => arg.startsWith("--since="))?.slice("--since=".length)
  const cells = await measurePages(tell, commit)
  const budgets = speedBudgets(cells)
  print(
    "Times are lower deciles. Ratios are ours / theirs: the median over rounds, and that of the lower deciles, which other\n" +
      "work on the machine disturbs less.",
    pagesTable(cells),
    budgetTable(budgets)
  )
  return budgets
}

const runGrowth = async (): Promise<ReadonlyArray<Budget>> => {
  const growth = await measureGrowth()
  const budgets = growthBudgets(growth)
  print(growthTable(growth), budgetTable(budgets))
  return budgets
}

const run = process.argv.includes("--pages") ? runPages : process.argv.includes("--growth") ? runGrowth : runAll
const budgets = await run()
if (budgets.some(({ decides, met }) => decides && !met)) process.exitCode = 1
