/** What is seen of lists, choices and loaders inside: events, spans, logs, reports. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, References, Result, Schedule, Tracer } from "effect"
import { Loader, Logging, Metrics, Policy, Report, Resource, Tracing } from "effect-loader"
import { RunLog } from "effect-loader/testing"
import * as Wire from "effect-loader/wire"
import { golden } from "../golden.ts"
import { withTime } from "../withTime.ts"

const kind = Resource.succeed("kind", "all" as "all" | "none")
const page = () => {
  let tries = 0
  const users = Resource.forEach("users", {
    items: () => [10, 20, 30],
    load: (id) =>
      Effect.andThen(
        Effect.sleep(id),
        id === 20 && ++tries === 1 ? Effect.fail("busy") : Effect.as(Effect.log("found"), id)
      ),
    each: Policy.retry({ times: 1, schedule: Schedule.spaced(5) })
  })
  const nobody = Resource.make("nobody", { load: () => Effect.succeed([]) })
  const choice = Resource.match("choice", { on: kind, cases: { all: users, none: nobody } })
  const inner = Loader.make({ choice }, { name: "inner" })
  const nested = Resource.fromLoader("nested", inner)
  return Loader.make({ nested }, { name: "outer", concurrency: 2 })
}

const innerRun = (report: Report.Report<unknown>): Report.Report<unknown> =>
  Report.get(report, "nested")?.runs?.[0] ?? assert.fail("there was no run inside")

describe("lists, choices and loaders inside", () => {
  it.effect("tell of themselves in events, each in its own run", () =>
    Effect.gen(function* () {
      const { events } = yield* withTime(RunLog.record(Loader.load(page())))
      const [outer] = events
      const lines = RunLog.lines(events).map((line, k) => `${events[k]!.run === outer!.run ? "" : "  "}${line}`)
      yield* golden("nested-events.txt", `${lines.join("\n")}\n`)
      const started = events.filter((event) => event._tag === "RunStarted")
      assert.deepStrictEqual(started[1]?.parent, { run: outer!.run, resource: "nested" })
    })
  )

  it.effect("are in waterfalls and summaries, and runs inside have their own", () =>
    Effect.gen(function* () {
      const report = yield* withTime(Loader.settle(page()))
      const texts = [report, innerRun(report)].flatMap((one) => [Report.toWaterfall(one), Report.toSummary(one)])
      yield* golden("nested-waterfall.txt", `${texts.join("\n\n")}\n`)
    })
  )

  it.effect("travel to other processes with all that is known of them", () =>
    Effect.gen(function* () {
      const { events, exit } = yield* withTime(RunLog.record(Loader.settle(page())))
      const report = yield* exit
      const received = Result.getOrThrow(Wire.reportFromJson(Wire.reportToJson(report)))
      assert.deepStrictEqual(innerRun(received).resources, innerRun(report).resources)
      assert.deepStrictEqual(received.plan, report.plan)
      const again = events.map((event) => Result.getOrThrow(Wire.eventFromJson(Wire.eventToJson(event))))
      assert.deepStrictEqual(again, events)
      assert.deepStrictEqual(Report.fromEvents(again)?.resources, report.resources)
    })
  )

  it.effect("have spans: one for each attempt of an item, below its list", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          const end = span.end.bind(span)
          span.end = (at, exit) => {
            const parent =
              options.parent._tag === "Some" && options.parent.value._tag === "Span" ? options.parent.value.name : ""
            const item = span.attributes.get("effect_loader.item") as number | undefined
            lines.push(`${span.name}${item === undefined ? "" : ` ${item}`} < ${parent}`)
            end(at, exit)
          }
          return span
        }
      })
      yield* withTime(Loader.load(page())).pipe(Effect.provide(Tracing.layer), Effect.withTracer(tracer))
      assert.deepStrictEqual(lines, [
        "nobody < load inner",
        "users item 0 < users",
        "users item 1 < users",
        "users item 2 < users",
        "users item 1 < users",
        "users < load inner",
        "choice < load inner",
        "load inner < nested",
        "nested < load outer",
        "load outer < "
      ])
    })
  )

  it.effect("say in what an item logs which item it is", () =>
    Effect.gen(function* () {
      const found: Array<unknown> = []
      const logger = Logger.make<unknown, void>(({ fiber, message }) => {
        const { attempt, item, resource } = fiber.getRef(References.CurrentLogAnnotations)
        if (String(message) === "found") found.push([resource, item, attempt])
      })
      yield* withTime(Loader.load(page())).pipe(Effect.provide([Logging.layer, Logger.layer([logger])]))
      assert.deepStrictEqual(found, [
        ["users", 0, 1],
        ["users", 2, 1],
        ["users", 1, 2]
      ])
    })
  )

  it.effect("are watched by everybody at once without changing what they come to", () =>
    Effect.gen(function* () {
      const watched = yield* withTime(Loader.load(page())).pipe(
        Effect.provide([Tracing.layerWith({ spans: "always" }), Metrics.layer, Logging.layer])
      )
      assert.deepStrictEqual(watched, yield* withTime(Loader.load(page())))
    })
  )
})
