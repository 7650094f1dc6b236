/** Twenty users on one page: twenty queries, two, or one. */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { Loader, Report } from "effect-loader"
import { toWaterfall } from "effect-loader/terminal"
import { bold, dim, print, section, width } from "../terminal/Text.ts"
import { PatientUsers, queriesSince, Users } from "./Database.ts"
import { pageOf } from "./page.ts"

const page = pageOf(Users)
const patient = pageOf(PatientUsers)

const run = Effect.fnUntraced(function* (self: typeof page) {
  yield* queriesSince
  const report = yield* Loader.settle(self)
  const queries = yield* queriesSince
  yield* print("", toWaterfall(report, { columns: width }))
  yield* print("", `${queries} ${queries === 1 ? "query" : "queries"} for 20 users, at a concurrency of 2.`)
  return report
})

Effect.gen(function* () {
  yield* Console.log(`\n${bold("effect-loader")}  a page that needs twenty users, one of whom is not there`)

  yield* section("Requests", "what is asked at once is one query, whichever resource asks")
  const report = yield* run(page)
  yield* print(dim(`The one who is not there failed alone: deputy is ${Report.outcome(report, "deputy")?._tag}.`))

  yield* section("Requests, graph-aware", "the plan knows that the project's people are still to be asked for")
  yield* run(patient)
  yield* print(dim("The first query waited for them, and there was no second. It may wait for 200ms at most."), "")
}).pipe(NodeRuntime.runMain)
