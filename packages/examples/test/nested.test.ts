/** The nested graph. */
import { describe, it } from "vitest"
import { assertEndedWell, assertInOrder, assertReadable, ended, launch } from "./kit/program.ts"

describe("the nested graph", () => {
  it("shows that nothing waits for an unrelated sibling", { timeout: 30_000 }, async () => {
    const ran = await ended(launch("nested/main.ts"))
    assertEndedWell(ran)
    assertReadable(ran.out)
    assertInOrder(ran.out, [
      "a needs b and c; c needs d and e; e needs f",
      "The plan",
      "Eager",
      "By levels",
      "What the levels cost",
      "it needs f, but was made to wait for b",
      "it needs d and e, and e came later",
      "a(b, c(d, e(f)))"
    ])
  })
})
