/** What a run looks like that was undone, and one that was taken back, in everything that draws or tells of runs. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Schedule } from "effect"
import { Loader, Plan, Policy, Report, Resource, type RunEvent, Saga } from "effect-loader"
import * as Diagram from "effect-loader/diagram"
import { RunLog } from "effect-loader/testing"
import * as Wire from "effect-loader/wire"
import { plainPen } from "../../src/observe/Pen.ts"
import { Timeline } from "../../src/watch/Timeline.ts"
import { toFrame } from "../../src/terminal/Frame.ts"
import { linesOf } from "../../src/terminal/PlainLines.ts"
import { golden } from "../golden.ts"
import { withTime } from "../withTime.ts"
import { failing, Shop } from "./Shop.ts"

const slowly = <A, E, R>(millis: number, self: Effect.Effect<A, E, R>) => Effect.andThen(Effect.sleep(millis), self)

const signUp = () => {
  const shop = new Shop()
  let quotes = 0
  let tries = 0
  const user = shop.step("user", { takes: 20, undo: 15 })
  const payment = Resource.make("payment", {
    deps: { user },
    load: () => slowly(15, Effect.succeed("p1")),
    compensate: () => slowly(10, Effect.fail("bank is down"))
  })
  const seats = Resource.forEach("seats", {
    deps: { user },
    items: () => ["1A", "1B"],
    load: (seat) => slowly(10, shop.do(seat)),
    compensate: (seat) => slowly(8, shop.undo(seat))
  })
  const inner = { street: shop.step("street", { takes: 5, undo: 5 }), map: shop.step("map", { takes: 9, undo: 5 }) }
  const address = Resource.fromLoader("address", Loader.make(inner, { name: "inner" }))
  const quote = Resource.make("quote", {
    load: () => Effect.suspend(() => slowly(++quotes === 1 ? 30 : 5, shop.do(`quote ${quotes}`))),
    compensate: (name) => slowly(4, shop.undo(name)),
    cleanup: () => Effect.sleep(2)
  }).pipe(Policy.hedge({ after: 10 }))
  const flaky = Resource.make("flaky", {
    load: () =>
      slowly(
        5,
        Effect.suspend(() => (++tries < 2 ? Effect.fail("busy") : shop.do("flaky")))
      ),
    compensate: (name) => shop.undo(name),
    cleanup: () => Effect.sleep(3)
  }).pipe(Policy.retry({ times: 2, schedule: Schedule.spaced(4) }))
  const last = failing({ payment, seats, address, quote, flaky }, 10).pipe(Resource.withCleanup(() => Effect.sleep(6)))
  const mail = Resource.make("mail", { deps: { last }, load: () => Effect.void })
  return Loader.make({ mail }, { name: "sign up", onCompensationFailure: () => Effect.void })
}

const trip = () => {
  const shop = new Shop()
  let tries = 0
  const user = shop.step("user", { takes: 20, undo: 15 })
  const seat = shop.step("seat", { deps: { user }, takes: 10, undo: 5 })
  const meal = shop.step("meal", { takes: 60, undo: 5 })
  const ticket = Resource.make("ticket", {
    deps: { seat },
    load: () =>
      slowly(
        5,
        Effect.suspend(() => (++tries < 3 ? Effect.fail("gone") : shop.do("ticket")))
      )
  }).pipe(Saga.rewind(seat, { times: 3, schedule: Schedule.spaced(7) }))
  return Loader.make({ ticket, meal }, { name: "trip" })
}

/** What is on a terminal at some time, and all lines where nothing can be written over. */
const progress = (events: ReadonlyArray<RunEvent.RunEvent>, until: number): string => {
  const [started] = events
  if (started?._tag !== "RunStarted") throw new Error("no run")
  const timeline = new Timeline(started)
  const lines: Array<string> = []
  let frame = ""
  for (const event of events) {
    if (event.at > until && frame === "") frame = toFrame([timeline], until, { columns: 60, rows: 20 }, plainPen)
    timeline.add(event)
    lines.push(...linesOf(event, timeline, 80, plainPen))
  }
  return `${lines.join("\n")}\n\nafter ${until}ms\n${frame}`
}

const pretty = (json: string): string => json.replaceAll("},{", "},\n{")

describe("what is drawn", () => {
  for (const [name, loader, until] of [
    ["sign up", signUp, 58],
    ["trip", trip, 43]
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
          progress(own!, until),
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
