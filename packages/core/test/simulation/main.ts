/**
 * Simulates every contender and prints the tables of `docs/limiters-simulation.md`.
 *
 * `--seeds 20`: how many seeds. Exits with 1 when the default misses what is expected of it, or a control does not.
 */
import { parseArgs } from "node:util"
import { contenders, fixedFifo, theDefault, unbounded } from "./Contender.ts"
import { busy, calm, expectations, nearlyFull, overloaded, run } from "./Expectations.ts"
import { hour } from "./Hour.ts"

const { values } = parseArgs({ options: { seeds: { type: "string", default: "20" } } })
const seeds = Array.from({ length: Number(values.seeds) }, (_, i) => 1000 + i)

const mean = (of: (seed: number) => number): number => seeds.reduce((sum, seed) => sum + of(seed), 0) / seeds.length

const figure = (value: number): string =>
  !Number.isFinite(value) ? "–" : value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)

const table = (rows: ReadonlyArray<ReadonlyArray<string>>): void => {
  const [head = [], ...body] = rows
  for (const row of [head, head.map(() => "---"), ...body]) console.log(`| ${row.join(" | ")} |`)
  console.log()
}

const missed = new Map<string, number>()

console.log(`## What is expected, and the worst of ${seeds.length} seeds\n`)
table([
  ["", "bound", ...contenders.map(({ name }) => name)],
  ...expectations.map(({ bound, holds, law, measure }) => [
    law,
    bound,
    ...contenders.map((contender) => {
      const value = measure(contender, seeds)
      if (holds(value)) return figure(value)
      missed.set(contender.name, (missed.get(contender.name) ?? 0) + 1)
      return `**${figure(value)}**`
    })
  ])
])

console.log(`## Pages: light p50/p99 ms, heavy p50/p99 ms, in time light/heavy %; means of ${seeds.length} seeds\n`)
const traffics = [calm, busy, nearlyFull, overloaded]
table([
  ["", ...traffics.map(({ name }) => name)],
  ...contenders.map((contender) => [
    contender.name,
    ...traffics.map((kind) => {
      const of = (part: "light" | "heavy", what: "p50" | "p99" | "inTime"): string => {
        const value = mean((seed) => run(kind, contender, seed)[part][what])
        return Number.isNaN(value) ? "–" : (what === "inTime" ? value * 100 : value).toFixed(0)
      }
      return `${of("light", "p50")}/${of("light", "p99")}, ${of("heavy", "p50")}/${of("heavy", "p99")}, ${of("light", "inTime")}/${of("heavy", "inTime")}`
    })
  ])
])

const quarters = hour(seeds[0]!)
console.log(`An hour of steady overload, the default limit: goodput by quarters ${quarters.map(figure).join(", ")}\n`)

const isMissed = (name: string): boolean => (missed.get(name) ?? 0) > 0
const asExpected =
  !isMissed(theDefault.name) && isMissed(unbounded.name) && isMissed(fixedFifo.name) && Math.min(...quarters) >= 0.85
console.log(asExpected ? "The default meets all of it; the controls do not." : "NOT as expected.")
process.exitCode = asExpected ? 0 : 1
