/** What a load comes to when its backend goes wrong, on real servers. The table is that of docs/faults.md. */
import { assert, describe, it } from "@effect/vitest"
import { type Duration, Effect } from "effect"
import { Loader, Report } from "effect-loader"
import { silently } from "../kit/silently.ts"
import { useServers } from "../kit/servers.ts"
import { type Backend, backends, type FaultName, faults } from "./backends.ts"
import { withMeanwhile } from "./during.ts"
import { hasty, page, patient, tellUsers, Users } from "./page.ts"
import { told } from "./told.ts"

/** Longer than the slowest machine takes for an answer. */
const unhurried = "1 minute"

/** A time limit ends attempts only where the table says so. It leaves time to kill a server while its answer is awaited. */
const timeoutOf = (fault: FaultName, backend: string): Duration.Input => {
  if (told(fault, backend)?.includes("TimeoutError") !== true) return unhurried
  return fault === "killed" ? "2 seconds" : "400 millis"
}

const tryOut = Effect.fnUntraced(
  function* (backend: Backend, fault: FaultName, timeout: Duration.Input) {
    const { before = Effect.void, during = Effect.void } = backend.faults[fault]
    yield* before
    const report = yield* withMeanwhile(
      Loader.settle(page({ timeout, times: fault === "restarted" ? patient : hasty })),
      "AttemptStarted",
      during
    )
    yield* backend.mend
    const after = yield* Loader.settle(page({ timeout: unhurried, times: patient }))
    return { report, after }
  },
  (effect, { users }) => Effect.provideService(effect, Users, users)
)

describe.each(Object.entries(backends))("%s", (name, start) => {
  const backend = useServers(silently(Effect.tap(start, ({ mend }) => mend)))

  for (const fault of faults) {
    it.live(`${fault}: a load ends by its policies, typed, and the next one after it is well again loads`, () =>
      Effect.gen(function* () {
        const { after, report } = yield* tryOut(backend(), fault, timeoutOf(fault, name))
        assert.strictEqual(tellUsers(report), told(fault, name))
        assert.strictEqual(Report.get(report, "page")?.outcome._tag, "Succeeded")
        assert.strictEqual(after.values.page, "Ada and Bob")
      }).pipe(silently)
    )
  }
})
