/** Orders, with something going wrong in each step in turn. */
import { assert, describe, it } from "vitest"
import { assertEndedWell, assertInOrder, assertNothingLeft, assertReadable, useRun } from "./kit/program.ts"

describe("the order", () => {
  const run = useRun("order/main.ts")

  it("with a fault in each step in turn loses no money and charges nobody twice", () => {
    assertEndedWell(run)
    assertReadable(run.out)
    assert.notInclude(run.out, "✗ ")
    for (const step of ["reservation", "payment", "purchase", "parcel"]) {
      for (const fault of ["dies before loading", "dies once loaded", "hangs before loading", "hangs once loaded"]) {
        assert.match(run.out, new RegExp(`✓ ${step} ${fault} +failed +nothing charged`))
      }
    }
  })

  it("interrupted at each event is either not done at all, or done once", () => {
    const lines = Array.from(
      run.out.matchAll(/✓ interrupted at event (\d+) +(failed {2}nothing|done {4}12 EUR) charged/g)
    )
    assert.isAbove(lines.length, 15)
    assert.strictEqual(lines.length, Number(lines.at(-1)?.[1]) + 1)
  })

  it("tells of what could not be taken back, and undoes all the rest", () => {
    assertInOrder(run.out, [
      "What cannot be taken back",
      "← reservation",
      "≠ payment",
      "← purchase",
      'resource "payment" was not undone: the bank does not answer',
      "1 in the table"
    ])
  })

  it("in a transaction is committed as a whole, or rolled back, and what the bank did is undone", () => {
    assertInOrder(run.out, [
      "In one transaction",
      "committed, 2 rows; bank: 12 EUR charged",
      "rolled back, 0 rows; bank: 12 EUR charged, 12 EUR returned"
    ])
  })

  it("leaves no server and no file behind", async () => {
    await assertNothingLeft(run.out, run.folder)
  })
})
