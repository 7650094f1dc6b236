/** What a run looks like that was undone, and one that was taken back, in everything that draws or tells of runs. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { Loader, Plan, Report } from "effect-loader"
import * as Diagram from "effect-loader/diagram"
import { RunLog } from "effect-loader/testing"
import * as Wire from "effect-loader/wire"
import { golden } from "../golden.ts"
import { withTime } from "../withTime.ts"
import { signUp, trip } from "./undone.ts"

const pretty = (json: string): string => json.replaceAll("},{", "},\n{")

describe("what is drawn", () => {
  for (const [name, loader] of [
    ["sign up", signUp],
    ["trip", trip]
  ] as const) {
    it.effect(`of "${name}" reads well, also when it came over a wire`, () =>
      Effect.gen(function* () {
        const load: Effect.Effect<unknown, unknown> = Effect.suspend(() =>
          Loader.load(loader() as Loader.Loader<unknown, unknown, never, unknown, unknown>, {})
        )
        const { events } = yield* withTime(RunLog.record(Effect.exit(load)))
        const [own] = RunLog.runs(events)
        const report = Report.fromEvents(own!)!
        const plan = Loader.plan(loader())
        const again = Result.getOrThrow(Wire.reportFromJson(Wire.reportToJson(report)))
        const waterfall = Report.toWaterfall(report, { columns: 100 })
        assert.strictEqual(Report.toWaterfall(again, { columns: 100 }), waterfall)
        const text = [
          waterfall,
          Report.toSummary(report),
          RunLog.timeline(events),
          Plan.toText(plan),
          Diagram.toMermaid(plan, { report }),
          RunLog.lines(events).join("\n"),
          pretty(Report.toChromeTrace({ ...report, run: 1 }))
        ]
        yield* golden(`undone-${name.replace(" ", "-")}.txt`, `${text.join("\n\n")}\n`)
      })
    )
  }
})
