/** Twenty users on one page, from PostgreSQL. */
import { assert, describe, it } from "vitest"
import { assertEndedWell, assertInOrder, assertNothingLeft, assertReadable, useRun } from "./kit/program.ts"

describe("batches", () => {
  const run = useRun("batches/main.ts")

  it("twenty users are two queries, and one where the plan is heeded", () => {
    assertEndedWell(run)
    assertReadable(run.out)
    assertInOrder(run.out, [
      "PostgreSQL",
      "WHERE id = ANY($1)",
      "16 users: 10 11 12",
      "WHERE id = ANY($1)",
      // User 11 watches, too: that is asked again, for the first query is over.
      "5 users: 7 40 41 42 11",
      "2 queries for 20 users",
      "deputy is Degraded",
      "WHERE id = ANY($1)",
      "20 users: 10 11 12",
      "1 query for 20 users"
    ])
    assert.strictEqual(run.out.match(/^  SELECT/gm)?.length, 3)
  })

  it("leave no server and no folder behind", async () => {
    await assertNothingLeft(run.out, run.folder)
  })
})
