/** A heavy page and a light one over one limiter. */
import { assert, describe, it } from "@effect/vitest"
import { Console, Duration, Effect, Layer } from "effect"
import type { Report } from "effect-loader"
import { VirtualTime } from "effect-loader/testing"
import { stripVTControlCharacters } from "node:util"
import { Database, query } from "../src/twopages/pages.ts"
import { program } from "../src/twopages/program.ts"
import { byShares, byTurns, limit, loadBoth, Queries } from "../src/twopages/shared.ts"
import { assertEndedWell, assertInOrder, assertReadable, ended, launch, hangs } from "./kit/program.ts"

const millis = Duration.toMillis(query)
const took = (report: Report.Report<unknown>) => report.until - report.startedAt

describe("two pages", () => {
  it.effect(
    "with fair shares a light page waits for one query of the heavy one at each of its levels, at the most",
    () =>
      Effect.gen(function* () {
        const { heavy, light } = yield* VirtualTime.run(loadBoth(byShares))
        assert.isAtMost(took(light), 2 * (millis + millis))
        // 65 queries, four at a time, and the two levels before the many
        assert.isAtMost(took(heavy), (Math.ceil(65 / limit) + 2) * millis)
        const { granted, inFlight, waiting } = yield* Queries.stats
        assert.deepStrictEqual({ granted, inFlight, waiting }, { granted: 65, inFlight: 0, waiting: 0 })
      }).pipe(Effect.provide(Layer.merge(Database.layer, Queries.layer({ limit }))))
  )

  it.effect("first come, first served, it waits for all of the heavy one that came before", () =>
    Effect.gen(function* () {
      const fair = yield* VirtualTime.run(loadBoth(byShares))
      const first = yield* VirtualTime.run(loadBoth(byTurns))
      assert.isAbove(took(first.light), 10 * millis)
      assert.deepStrictEqual(first.light.values, fair.light.values)
      assert.deepStrictEqual(first.heavy.values, fair.heavy.values)
    }).pipe(Effect.provide(Layer.merge(Database.layer, Queries.layer({ limit }))))
  )

  const printed = [
    "each query sleeps for 20ms",
    'plan of "greeting, fair": 3 resources in 2 batches',
    "limit(Queries)",
    "First come, first served",
    '"greeting, first come" took',
    "Fair shares",
    '"greeting, fair" took',
    "What each got",
    "The limiter let 65 queries through"
  ]

  it("prints what each gets", { timeout: hangs }, async () => {
    const ran = await ended(launch("twopages/main.ts"))
    assertEndedWell(ran)
    assertReadable(ran.out)
    assertInOrder(ran.out, printed)
  })

  it.effect(
    "draws in virtual time, where every wait has its exact length, that the light page waits for its share",
    () =>
      Effect.gen(function* () {
        const lines: Array<string> = []
        const console = { ...globalThis.console, log: (line: string) => void lines.push(line) }
        yield* Effect.provideService(VirtualTime.run(program), Console.Console, console)
        const out = lines.join("\n")
        assertReadable(stripVTControlCharacters(out))
        assertInOrder(stripVTControlCharacters(out), printed.toSpliced(-2, 0, "waits for its share of a limiter"))
      })
  )
})
