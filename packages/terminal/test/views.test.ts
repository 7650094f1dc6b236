/** Frames and lines tell of everything that goes wrong in a run, and do no harm. */
import { assert, describe, it } from "@effect/vitest"
import { toWaterfall } from "@effect-loader/terminal"
import { Effect } from "effect"
import { Loader, Policy, Report, Resource } from "effect-loader"
import { CircuitBreaker, circuitBreaker } from "effect-loader/resilience"
import { RunLog } from "effect-loader/testing"
import { TestClock } from "effect/testing"
import fc from "fast-check"
import { acting, hostileNames, pageOf } from "../../core/test/observe/hostile.ts"
import { signUp, trip } from "../../core/test/undo/undone.ts"
import { withTime } from "../../core/test/withTime.ts"
import { golden } from "./golden.ts"
import { viewsOf } from "./views.ts"

const columns = 80

/** All texts about a run of a page with one name for everything. */
const writtenOf = Effect.fnUntraced(function* (name: string) {
  const { events } = yield* withTime(RunLog.record(Loader.settle(pageOf(name))))
  const { frame, lines } = viewsOf(events, 25, columns)
  return {
    "waterfall on a terminal": toWaterfall(Report.fromEvents(events)!, { columns, color: false }),
    progress: lines.join("\n"),
    "a frame of progress": frame
  }
})

type Written = Effect.Success<ReturnType<typeof writtenOf>>

const count = (text: string): number => text.split("\n").length

describe("names do no harm on a terminal", () => {
  it("whatever they are", { timeout: 120_000 }, async () => {
    const run = (name: string): Promise<Written> =>
      Effect.runPromise(writtenOf(name).pipe(Effect.provide(TestClock.layer())))
    const plain = await run("plain")
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", minLength: 1 }), async (name) => {
        for (const [view, text] of Object.entries(await run(name))) {
          assert.strictEqual(count(text), count(plain[view as keyof Written]), `${view} has as many lines as ever`)
          assert.notMatch(text, acting, view)
          for (const line of text.split("\n")) assert.isAtMost(line.length, 600, view)
        }
      }),
      { numRuns: 200, examples: hostileNames.map((name) => [name]) }
    )
  })

  it.effect("and look like this", () =>
    Effect.gen(function* () {
      const written = yield* writtenOf('</script>"\n\u001b[31m\u202e')
      const texts = Object.entries(written).map(([view, text]) => `== ${view}\n${text.trimEnd()}\n`)
      yield* golden("hostile.txt", texts.join("\n"))
    })
  )
})

describe("frames and lines", () => {
  for (const [name, loader, at] of [
    ["sign up", signUp, 58],
    ["trip", trip, 43]
  ] as const) {
    it.effect(`tell how "${name}" is undone`, () =>
      Effect.gen(function* () {
        const load: Effect.Effect<unknown, unknown> = Effect.suspend(() =>
          Loader.load(loader() as Loader.Loader<unknown, unknown, never, unknown, unknown>, {})
        )
        const { events } = yield* withTime(RunLog.record(Effect.exit(load)))
        const [own] = RunLog.runs(events)
        const { lines } = viewsOf(own!, at)
        const { frame } = viewsOf(own!, at, 60)
        yield* golden(`undone-${name.replace(" ", "-")}.txt`, `${lines.join("\n")}\n\nafter ${at}ms\n${frame}`)
      })
    )
  }

  it.effect("tell of hedges and refusals", () =>
    Effect.gen(function* () {
      class Rates extends CircuitBreaker.Service<Rates>()("app/Rates") {}
      let asked = 0
      const price = Resource.make("price", { load: () => Effect.sleep(asked++ === 0 ? 50 : 5) }).pipe(
        Policy.hedge({ after: 10 })
      )
      const rate = Resource.make("rate", { load: () => Effect.fail("down") }).pipe(circuitBreaker(Rates))
      const tax = Resource.make("tax", { after: [rate.pipe(Resource.option)], load: () => Effect.void }).pipe(
        circuitBreaker(Rates)
      )
      const page = Loader.make({ price, rate, tax }, { name: "page" })
      const layer = Rates.layer({ opens: { failures: 1 }, openDuration: "1 minute" })
      const { events } = yield* withTime(Effect.provide(RunLog.record(Loader.settle(page)), layer))
      assert.includeMembers(
        viewsOf(events, 0).lines.map((line) => line.trim()),
        ["10ms  price  attempt 2 starts as a hedge", "0.0ms  tax  refused by circuitBreaker(app/Rates)"]
      )
    })
  )
})
