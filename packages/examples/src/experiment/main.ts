/**
 * Light and heavy pages side by side on a real PostgreSQL with a small pool of connections: without a limit, and with a
 * limiter that adapts and shares fairly. What it prints are ratios.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Duration, Effect, Layer } from "effect"
import { parseArgs } from "node:util"
import { PostgresServer } from "../backends/PostgresServer.ts"
import { bad, bold, dim, fact, print, section } from "../terminal/Text.ts"
import { arrivals } from "./arrivals.ts"
import { Backend, connections, latency, Pool } from "./Backend.ts"
import { contenders } from "./contenders.ts"
import { ratesFor, took } from "./figures.ts"
import { type Idle, measure, measureIdle, type Result } from "./measure.ts"

const { values: options } = parseArgs({
  options: {
    seconds: { type: "string", default: "10" },
    rounds: { type: "string", default: "2" },
    load: { type: "string", default: "0.8" },
    initial: { type: "string", default: "4" },
    max: { type: "string", default: "512" }
  }
})
const seconds = Number(options.seconds)
const load = Number(options.load)

const introduce = Effect.gen(function* () {
  const { description } = yield* PostgresServer
  yield* Console.log(`\n${bold("effect-loader")}  light and heavy pages on one database\n`)
  yield* fact("SQL", `${description}, ${connections} connections`)
  yield* fact("", dim(`latency injected by pg_sleep: ${Duration.format(latency)} a query`))
  yield* fact("light", "a page of 3 queries, two after each other")
  yield* fact("heavy", "a page of 62 queries, 60 of them at once")
})

const showTable = (idle: Idle, results: ReadonlyArray<Result>) => {
  const cell = (ratio: number) => `${ratio.toFixed(ratio < 10 ? 2 : 1)} ×`.padStart(15)
  const row = (what: string, of: (result: Result) => number) =>
    what.padEnd(20) + results.map((result) => cell(of(result))).join("")
  return print(
    `${" ".repeat(20)}${results.map(({ name }) => name.padStart(15)).join("")}`,
    row("light page, p50", ({ answers }) => took(answers, "light", 0.5) / idle.light),
    row("light page, p99", ({ answers }) => took(answers, "light", 0.99) / idle.light),
    row("heavy page, p50", ({ answers }) => took(answers, "heavy", 0.5) / idle.heavy),
    row("heavy page, p99", ({ answers }) => took(answers, "heavy", 0.99) / idle.heavy),
    row("queries a second", ({ perSecond }) => perSecond / results[0]!.perSecond)
  )
}

const program = Effect.gen(function* () {
  yield* introduce
  const idle = yield* measureIdle
  // A light page is two queries after each other.
  const perSecond = (load * connections) / (idle.light / 2 / 1000)
  const roundOf = (seed: number) => arrivals({ perSecond: ratesFor(perSecond / 2), seconds, seed })
  const all = yield* contenders({ initial: Number(options.initial), max: Number(options.max) })
  yield* measure(all, [roundOf(0)]) // for the limits to adapt
  const rounds = Array.from({ length: Number(options.rounds) }, (_, i) => roundOf(i + 1))
  const results = yield* measure(all, rounds)
  yield* section("As many times what the page takes alone", "queries a second: as many times those without a limit")
  yield* showTable(idle, results)
  yield* print("")
  for (const { limit, name } of results.slice(1)) yield* print(dim(`${name}: the limit was ${limit} at the end`))
  yield* print(
    "",
    dim(
      `${options.rounds} rounds of ${seconds}s by each, ${rounds.flat().length} pages, after one that does not count; load ${load},`
    ),
    dim("half of it by each kind of page."),
    ""
  )
})

program.pipe(
  Effect.scoped,
  Effect.provide(
    Backend.pipe(Layer.provide(Pool), Layer.provideMerge(PostgresServer.layer), Layer.provide(NodeServices.layer))
  ),
  Effect.tapError((error) => Console.error(`\n${bad(error._tag)} ${error.message}`)),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
