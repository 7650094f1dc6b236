/** The page from a server that is not Effect. */
import { assert, describe, it } from "vitest"
import {
  assertEndedWell,
  assertInOrder,
  assertNothingLeft,
  assertReadable,
  assertInterruptible,
  assertEndsUnread,
  useRun,
  hangs
} from "./kit/program.ts"

describe("the server", () => {
  const run = useRun("server/main.ts")

  it("starts up, answers with a status for each failure, and says what latency is injected", () => {
    assertEndedWell(run)
    assertReadable(run.out)
    assertInOrder(run.out, [
      "latency injected by sleeps in queries and handlers",
      "latency injected by a sleep in the warm-up",
      'plan of "start-up": 8 resources in 3 batches',
      '"start-up" took',
      "✓ catalog",
      '200  {"banner":"Welcome, acme","page":"Acme Rockets / Launchpad',
      '404  {"resource":"org"',
      '403  {"resource":"user"',
      '404  {"error":"no such page"}'
    ])
  })

  it("interrupts the load of a client that goes away", () => {
    assert.include(run.out, "the client went away")
    assertInOrder(run.out, ['"server/Page" was interrupted', "page", "the run was interrupted"])
  })

  it("ends every load and gives every place back, whoever goes away", () => {
    const ends = /loads +(\d+) begun and over: (\d+) completed, (\d+) failed, (\d+) interrupted/.exec(run.out)
    const [begun, ...ended] = (ends ?? []).slice(1).map(Number)
    assert.strictEqual(
      begun,
      ended.reduce((sum, count) => sum + count, 0)
    )
    const [, taken, givenBack] = /places +(\d+) taken at the desk in all, (\d+) given back/.exec(run.out) ?? []
    assert.isDefined(taken)
    assert.strictEqual(taken, givenBack)
  })

  it("releases what it had started: no server and no folder is left", async () => {
    assert.include(run.out, "Shut down")
    await assertNothingLeft(run.out, run.folder)
  })

  it("releases it on an interruption, too", { timeout: hangs }, async () => {
    await assertInterruptible("server/main.ts", "Requests, one after the other", run.folder)
  })
  it("releases it when nobody reads on, too", { timeout: hangs }, async () => {
    await assertEndsUnread("server/main.ts", "The start-up graph", run.folder)
  })
})
