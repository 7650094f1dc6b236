/** The nested graph. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Loader } from "effect-loader"
import { VirtualTime } from "effect-loader/testing"
import { differences } from "../src/nested/inWords.ts"
import { byLevels, eager } from "../src/nested/loaders.ts"
import { assertEndedWell, assertInOrder, assertReadable, ended, launch, hangs } from "./kit/program.ts"

describe("the nested graph", () => {
  it.effect("eagerly, nothing waits for an unrelated sibling; by levels, all but the first level do", () =>
    Effect.gen(function* () {
      const early = yield* VirtualTime.run(Loader.settle(eager))
      const late = yield* VirtualTime.run(Loader.settle(byLevels))
      assert.deepStrictEqual(differences(Loader.plan(eager), early, late), [
        "e started at 60ms, by levels at 300ms: it needs f, but was made to wait for b",
        "c started at 120ms, by levels at 360ms: it needs d and e, and e came later",
        "a started at 300ms, by levels at 440ms: it needs b and c, and c came later"
      ])
      assert.deepStrictEqual(late.values, early.values)
    })
  )

  it.effect("a start that is late because the machine is busy is no difference of the schedules", () =>
    Effect.gen(function* () {
      const early = yield* VirtualTime.run(Loader.settle(eager))
      const late = { ...early, resources: early.resources.map((one) => ({ ...one, startedAt: one.startedAt! + 100 })) }
      const told = differences(Loader.plan(eager), early, late)
      assert.lengthOf(told, 3)
    })
  )

  it("prints the plan, both waterfalls and what they gave", { timeout: hangs }, async () => {
    const ran = await ended(launch("nested/main.ts"))
    assertEndedWell(ran)
    assertReadable(ran.out)
    assertInOrder(ran.out, [
      "a needs b and c; c needs d and e; e needs f",
      "The plan",
      "Eager",
      "By levels",
      "What the levels cost",
      "a(b, c(d, e(f)))"
    ])
  })
})
