/** What a load comes to when its backend goes wrong, on real servers. The table is that of docs/faults.md. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { Loader, Observer, Report } from "effect-loader"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { silently } from "../kit/silently.ts"
import { useServers } from "../kit/servers.ts"
import { type Backend, backends, type FaultName, faults } from "./backends.ts"
import { hasty, patient, tellUsers, Users } from "./page.ts"

const lines = readFileSync(join(import.meta.dirname, "../../../../docs/faults.md"), "utf8").split("\n")
const table = lines.filter((line) => line.startsWith("|")).map((line) => line.split("|").map((cell) => cell.trim()))

/** What the docs say that becomes of the users. */
const told = (fault: FaultName, backend: string): string | undefined =>
  table.find((row) => row[1] === fault)?.[table[0]!.indexOf(backend)]

/** Three attempts and two pauses take 1.3 seconds at the most; the rest is for a machine that has more to do. */
const soon = 6000

/** Runs `during` when both users have been asked for. */
const loadThrough = Effect.fnUntraced(function* (loader: typeof hasty, during: Effect.Effect<unknown, unknown>) {
  const asked = yield* Deferred.make<void>()
  let left = 2
  const watch = Observer.layer((event) => {
    if (event._tag === "AttemptStarted" && --left === 0) Deferred.doneUnsafe(asked, Effect.void)
  })
  const loading = yield* Effect.forkChild(Effect.provide(Loader.settle(loader), watch))
  yield* Deferred.await(asked)
  yield* during
  return yield* Fiber.join(loading)
})

const tryOut = Effect.fnUntraced(
  function* (backend: Backend, fault: FaultName) {
    const { before = Effect.void, during = Effect.void } = backend.faults[fault]
    yield* before
    const report = yield* loadThrough(fault === "restarted" ? patient : hasty, during)
    yield* backend.mend
    const after = yield* Loader.settle(patient)
    return { report, after }
  },
  (effect, { users }) => Effect.provideService(effect, Users, users)
)

describe.each(Object.entries(backends))("%s", (name, start) => {
  const backend = useServers(silently(Effect.tap(start, ({ mend }) => mend)))

  for (const fault of faults) {
    it.live(`${fault}: a load ends by its policies, typed, and the next one after it is well again loads`, () =>
      Effect.gen(function* () {
        const { after, report } = yield* tryOut(backend(), fault)
        assert.strictEqual(tellUsers(report), told(fault, name))
        if (fault !== "restarted") assert.isBelow(report.until - report.startedAt, soon)
        assert.strictEqual(Report.get(report, "page")?.outcome._tag, "Succeeded")
        assert.strictEqual(after.values.page, "Ada and Bob")
      }).pipe(silently)
    )
  }
})
