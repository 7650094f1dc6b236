/** Twenty users on one page. */
import { assert, describe, it } from "vitest"
import { assertEndedWell, assertInOrder, assertReadable, ended, launch } from "./kit/program.ts"

describe("batches", () => {
  it("twenty users are two queries, and one where the plan is heeded", { timeout: 30_000 }, async () => {
    const ran = await ended(launch("batches/main.ts"))
    assertEndedWell(ran)
    assertReadable(ran.out)
    assertInOrder(ran.out, [
      "query for 16 users: 10 11 12",
      // User 11 watches, too: that is asked again, for the first query is over.
      "query for 5 users: 7 40 41 42 11",
      "2 queries for 20 users",
      "deputy is Degraded",
      "query for 20 users: 10 11 12",
      "1 query for 20 users"
    ])
    assert.strictEqual(ran.out.match(/query for \d+ users:/g)?.length, 3)
  })
})
