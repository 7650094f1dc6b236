/** Waterfalls in the width and the colours of a terminal. */
import { assert, describe, it } from "@effect/vitest"
import { toWaterfall } from "@effect-loader/terminal"
import { Data, Effect } from "effect"
import { Loader, Report, Resource } from "effect-loader"
import fc from "fast-check"
import stringWidth from "string-width"
import { hostileNames } from "../../core/test/observe/hostile.ts"
import { observe } from "../../core/test/laws/observe.ts"
import { scenario } from "../../core/test/laws/Scenario.ts"
import { assertDrawn } from "../../core/test/observe/assertDrawn.ts"
import { withTime } from "../../core/test/withTime.ts"
import { golden } from "./golden.ts"

class Odd extends Data.TaggedError("Odd")<{ readonly message: string }> {}

const plain = { color: false } as const

describe("toWaterfall", () => {
  it.effect("keeps to its columns and to single lines whatever resources are called", () =>
    Effect.gen(function* () {
      const targets = Object.fromEntries(
        hostileNames.map((name, i) => [
          `t${i}`,
          Resource.make(name, {
            load: () => Effect.andThen(Effect.sleep(10 * i), Effect.fail(new Odd({ message: name })))
          })
        ])
      )
      const report = yield* withTime(
        Loader.settle(Loader.make(targets, { name: "a \u001b[2J page\n" }) as Loader.Loader<unknown>)
      )
      const text = toWaterfall(report, { ...plain, columns: 80 })
      yield* golden("waterfall-hostile.txt", text)
      for (const line of text.split("\n")) assert.isAtMost(stringWidth(line), 80, line)
      // oxlint-disable-next-line no-control-regex -- these are what it is about
      assert.notMatch(text.replaceAll("\n", ""), /[\u0000-\u001f\u202e]/)
    })
  )

  it("draws every resource once, within its columns, for every generated run", { timeout: 120_000 }, () =>
    fc.assert(
      fc.asyncProperty(scenario, fc.integer({ min: 40, max: 200 }), async (given, columns) => {
        const { events } = await observe(given)
        const cut = events.slice(0, 1 + (columns % events.length))
        for (const report of [Report.fromEvents(events)!, Report.fromEvents(cut)!]) {
          assertDrawn(report, toWaterfall(report, { ...plain, columns }), columns, stringWidth)
        }
      }),
      { numRuns: 200 }
    )
  )

  it.effect("has colours where the terminal has them", () =>
    Effect.gen(function* () {
      const bad = Resource.make("bad", { load: () => Effect.fail("down") })
      const user = Resource.make("user", { load: () => Effect.sleep(40) })
      const report = yield* withTime(Loader.settle(Loader.make({ bad, user })))
      const text = toWaterfall(report, { color: true, columns: 60 })
      assert.include(text, "\u001b[31m✗\u001b[39m bad")
      assert.include(text, "\u001b[32m✓\u001b[39m user")
      assert.strictEqual(
        // oxlint-disable-next-line no-control-regex -- these are what it is about
        text.replaceAll(/\u001b\[\d+m/g, ""),
        toWaterfall(report, { ...plain, columns: 60 })
      )
    })
  )
})
