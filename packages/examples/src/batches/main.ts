/** Twenty users on one page, from PostgreSQL: twenty queries, two, or one. */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, Layer } from "effect"
import { Loader, Report } from "effect-loader"
import { toWaterfall } from "@effect-loader/terminal"
import { PostgresServer } from "../backends/PostgresServer.ts"
import { bad, bold, dim, fact, paragraph, print, prose, section, width } from "../terminal/Text.ts"
import { pageOf } from "./page.ts"
import * as People from "./People.ts"
import { counted } from "./queries.ts"
import { PatientUsers, Users } from "./Users.ts"

const page = pageOf(Users)
const patient = pageOf(PatientUsers)

const run = Effect.fnUntraced(function* (self: typeof page) {
  const { queries, result: report } = yield* counted(Loader.settle(self))
  yield* print("", toWaterfall(report, { columns: width }))
  yield* print("", `${queries} ${queries === 1 ? "query" : "queries"} for 20 users, at a concurrency of 2.`)
  return report
})

const program = Effect.gen(function* () {
  const { description } = yield* PostgresServer
  yield* Console.log(`\n${bold("effect-loader")}  a page that needs twenty users, one of whom is not there\n`)
  yield* fact("SQL", description)
  yield* paragraph("", "latency injected by a sleep of 60ms before the project is there")

  yield* section("Requests", "what is asked at once is one query, whichever resource asks")
  const report = yield* run(page)
  yield* print(dim(`The one who is not there failed alone: deputy is ${Report.outcome(report, "deputy")?._tag}.`))

  yield* section("Requests, graph-aware", "the plan knows that more users are to be asked for")
  yield* run(patient)
  yield* prose("The first query waited for them, and there was no second. It may wait for 200ms at most.")
  yield* print("")
})

program.pipe(
  Effect.provide(People.layer.pipe(Layer.provideMerge(PostgresServer.layer), Layer.provide(NodeServices.layer))),
  Effect.tapError((error) => Console.error(`\n${bad(error._tag)} ${error.message}`)),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
