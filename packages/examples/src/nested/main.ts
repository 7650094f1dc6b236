/** The nested graph, eagerly and level by level: nothing waits for an unrelated sibling. */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { Loader, Plan, Report } from "effect-loader"
import { toWaterfall } from "@effect-loader/terminal"
import { bold, dim, print, section, width } from "../terminal/Text.ts"
import { differences } from "./inWords.ts"
import { byLevels, eager } from "./loaders.ts"

Effect.gen(function* () {
  yield* Console.log(`\n${bold("effect-loader")}  a needs b and c; c needs d and e; e needs f`)

  yield* section("The plan")
  yield* print(Plan.toText(Loader.plan(eager)))

  const early = yield* Loader.settle(eager)
  const late = yield* Loader.settle(byLevels)

  yield* section("Eager", "each starts when what it needs itself is there")
  yield* print(toWaterfall(early, { columns: width }))
  yield* section("By levels", "what Effect.all per level does: each level waits for all of the last")
  yield* print(toWaterfall(late, { columns: width }))

  yield* section("What the levels cost")
  yield* print(Report.toSummary(late), "")
  for (const line of differences(Loader.plan(eager), early, late)) yield* print(line)
  yield* print("", dim(`Both loaded ${early.values.a}. Eagerly, nothing waits for an unrelated sibling.`), "")
}).pipe(NodeRuntime.runMain)
