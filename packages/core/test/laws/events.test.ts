/** Events are complete and come in a legal order, whatever happens to the run. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Schedule } from "effect"
import { Loader, Observer, Policy, Resource, RunEvent, Tracing } from "effect-loader"
import { Interruption } from "effect-loader/testing"
import fc from "fast-check"
import { observe } from "./observe.ts"
import { scenario } from "./Scenario.ts"
import { withTime } from "../withTime.ts"

const letters: Partial<Record<RunEvent.RunEvent["_tag"], string>> = {
  ResourceReady: "R",
  ResourceQueued: "Q",
  PoliciesStarted: "P",
  AttemptStarted: "A",
  AttemptSucceeded: "s",
  AttemptFailed: "f",
  AttemptInterrupted: "i",
  RetryScheduled: "t",
  FallbackStarted: "F"
}

/** Ready, perhaps queued, then one attempt, or policies with attempts, perhaps fallbacks, then one end and no more. */
const legal = /^(R(Q?(A|P(Q?A([sfi]t?)?)*)?)?)?(Q?F)*Q?E$/

const assertLegal = (events: ReadonlyArray<RunEvent.RunEvent>): void => {
  const [first, ...rest] = events
  assert.strictEqual(first?._tag, "RunStarted")
  if (first?._tag !== "RunStarted") return
  assert.strictEqual(rest.at(-1)?._tag, "RunEnded")
  const words = new Map<string, string>(
    first.plan.resources.flatMap(({ batch, name }) => (batch < 0 ? [] : [[name, ""]]))
  )
  events.forEach((event, k) => {
    assert.strictEqual(event.run, first.run)
    if (k > 0) assert.isAtLeast(event.at, events[k - 1]!.at)
    if (!("resource" in event)) return assert.isTrue(k === 0 || k === events.length - 1)
    const letter = RunEvent.isResourceEnded(event) ? "E" : letters[event._tag]!
    words.set(event.resource, words.get(event.resource)! + letter)
  })
  for (const [resource, word] of words) assert.match(word, legal, `the events of ${resource}`)
}

describe("the events of a run", () => {
  it("are complete and in a legal order, for every generated run", { timeout: 120_000 }, () =>
    fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const { events } = await observe(given)
        assert.isAbove(events.length, 1)
        assertLegal(events)
      }),
      { numRuns: 1500 }
    )
  )

  const page = (options: Loader.Options) => {
    const org = Resource.make("org", { load: () => Effect.sleep(5) })
    const flaky = Resource.make("flaky", { load: () => Effect.andThen(Effect.sleep(5), Effect.fail("busy")) }).pipe(
      Policy.timeout(100),
      Policy.retry({ times: 2, schedule: Schedule.spaced(5) }),
      Policy.around("late", (self) => Effect.onExit(self, () => Effect.sleep(3))),
      Resource.catch(() => Effect.sleep(5)),
      Resource.map(() => 1)
    )
    const bad = Resource.make("bad", { deps: { org }, load: () => Effect.fail("bad") })
    const below = Resource.make("below", { deps: { bad }, load: () => Effect.void })
    const spared = below.pipe(Resource.option({ ancestors: true }))
    const all = Resource.struct("all", { flaky, org, spared })
    return Loader.make({ all }, { timeout: "1 hour", ...options })
  }

  it.effect.each<Loader.Options>([{}, { concurrency: 1 }, { scheduling: "batched" }])(
    "are so under interruption at every event (%j)",
    (options) =>
      Effect.gen(function* () {
        for (const run of [() => Loader.load(page(options)), () => Loader.settle(page(options))]) {
          const runs = yield* Interruption.atEveryEvent<unknown, unknown, never>(run, {
            check: ({ events }) => assertLegal(events)
          })
          assert.isAbove(runs, 15)
        }
      })
  )

  it.effect("tell why and when: which slot, which retry, which fallback", () =>
    Effect.gen(function* () {
      const events: Array<RunEvent.RunEvent> = []
      yield* withTime(Loader.settle(page({ concurrency: 1 })).pipe(Observer.observe((event) => events.push(event))))
      const of = (tag: RunEvent.RunEvent["_tag"]) => events.filter(({ _tag }) => _tag === tag)
      assert.deepInclude(of("ResourceQueued")[0], { limit: { _tag: "Slot", concurrency: 1 } })
      const [retry] = of("RetryScheduled") as ReadonlyArray<RunEvent.RetryScheduled>
      assert.deepStrictEqual([retry?.attempt, retry!.retryAt - retry!.at], [2, 5])
      assert.deepInclude(of("FallbackStarted")[0], { resource: "flaky", fallback: "catch", error: "busy" })
      assert.lengthOf(of("PoliciesStarted"), 1)
    })
  )

  it.effect("are not made where nobody watches: what makes events reads the wall clock, once for each run", () =>
    Effect.gen(function* () {
      let reads = 0
      const counting = (clock: Clock.Clock): Clock.Clock =>
        new Proxy(clock, {
          get: (_, key: keyof Clock.Clock) => {
            if (key === "currentTimeNanosUnsafe") reads++
            const found: unknown = clock[key]
            return typeof found === "function" ? found.bind(clock) : found
          }
        })
      const readsOf = (self: Effect.Effect<unknown, unknown>) =>
        Effect.suspend(() => {
          reads = 0
          const counted = Effect.flatMap(Clock.Clock, (clock) =>
            Effect.provideService(self, Clock.Clock, counting(clock))
          )
          return Effect.map(Effect.exit(withTime(counted)), () => reads)
        })
      const load = Effect.suspend(() => Loader.load(page({ concurrency: 1 })))
      const never = Tracing.layerWith({ spans: "never" })
      let events = 0
      const counted = yield* readsOf(Observer.observe(load, () => events++))
      assert.isAbove(events, 10)
      assert.strictEqual(counted, 1)
      assert.strictEqual(yield* readsOf(load), 0)
      assert.strictEqual(yield* readsOf(Effect.provide(load, never)), 0)
    })
  )
})
