/**
 * The page of a CI/CD service, from a real PostgreSQL and a real HTTP service: its plan, its run, what other schedules
 * would take, and what its failures look like.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, Layer } from "effect"
import { Loader, Plan, Report } from "effect-loader"
import { Progress, toWaterfall } from "@effect-loader/terminal"
import { Database } from "../backends/Database.ts"
import { DirectoryServer } from "../backends/DirectoryServer.ts"
import * as Latency from "../backends/Latency.ts"
import { PostgresServer } from "../backends/PostgresServer.ts"
import { bad, bold, dim, fact, print, section, width } from "../terminal/Text.ts"
import { Catalog } from "./Catalog.ts"
import { compare } from "./compare.ts"
import { Directory } from "./Directory.ts"
import { failures } from "./failures.ts"
import { inputs } from "./inputs.ts"
import { eager } from "./loaders.ts"

const introduce = Effect.gen(function* () {
  const postgres = yield* PostgresServer
  const directory = yield* DirectoryServer
  yield* Console.log(`\n${bold("effect-loader")}  the page of a CI/CD service, from two real backends\n`)
  yield* fact("SQL", postgres.description)
  yield* fact("", dim(`latency injected by pg_sleep: ${Latency.range(["org", "project", "artifacts"])} a query`))
  yield* fact("HTTP", `a service of this program on ${directory.url}`)
  yield* fact(
    "",
    dim(
      `latency injected by sleeps in its handlers: ${Latency.range(["user", "notifications", "permissions"])} an answer`
    )
  )
})

const showRun = Effect.gen(function* () {
  yield* section("The run, as it happens")
  const { exit, report } = yield* Loader.loadWithReport(eager, inputs).pipe(Effect.provide(Progress.layer()))
  yield* section("What ran when")
  yield* print(toWaterfall(report, { columns: width }))
  yield* section("Why it took as long as it did")
  yield* print(Report.toSummary(report))
  const { page } = yield* exit
  yield* section("The page")
  yield* print(page)
})

const program = Effect.gen(function* () {
  yield* introduce
  yield* section("The plan", "compiled from src/page/resources.ts, before anything runs")
  yield* print(Plan.toText(Loader.plan(eager)))
  yield* showRun
  yield* compare
  yield* failures
})

const backends = Layer.mergeAll(Database, DirectoryServer.layer).pipe(
  Layer.provideMerge(PostgresServer.layer),
  Layer.provide(NodeServices.layer)
)

program.pipe(
  Effect.provide(Layer.mergeAll(Catalog.layer, Directory.layer).pipe(Layer.provideMerge(backends))),
  Effect.tapError((error) => Console.error(`\n${bad(error._tag)} ${error.message}`)),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
