/** With any batches and any interleaving, runs give the values of the plain run, and leave nothing behind. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, RequestResolver } from "effect"
import { Batching, Loader, type Report } from "effect-loader"
import { Interruption, VirtualTime } from "effect-loader/testing"
import * as fc from "fast-check"
import { answerTo, GetSum, graphs, plainly, targetsOf } from "./Graph.ts"

interface Setup {
  readonly takes: number
  readonly chunk: number | undefined
  readonly maxHold: number | undefined
  readonly delay: number
}

const setups: fc.Arbitrary<Setup> = fc.record({
  takes: fc.integer({ min: 0, max: 8 }),
  chunk: fc.constantFrom(undefined, 1, 2),
  maxHold: fc.constantFrom(undefined, 0, 3, 1000),
  delay: fc.constantFrom(0, 4)
})

const options: fc.Arbitrary<Loader.Options> = fc.constantFrom<Loader.Options>(
  {},
  { concurrency: 1 },
  { concurrency: 2 },
  { scheduling: "batched" }
)

/** Records how often each key was in a call at the same time. */
class Backend {
  readonly asked: Array<ReadonlyArray<number>> = []
  open = 0
  readonly resolver: RequestResolver.RequestResolver<GetSum>

  constructor({ chunk, delay, maxHold, takes }: Setup) {
    const base = RequestResolver.make<GetSum>((entries) =>
      Effect.suspend(() => {
        this.open++
        this.asked.push(entries.map(({ request }) => request.of))
        return Effect.andThen(
          Effect.sleep(takes),
          Effect.sync(() => {
            for (const entry of entries) {
              const { of } = entry.request
              entry.completeUnsafe(of < 0 ? Exit.fail("negative") : Exit.succeed(answerTo(of)))
            }
          })
        )
      }).pipe(Effect.ensuring(Effect.sync(() => this.open--)))
    )
    const delayed = delay === 0 ? base : RequestResolver.setDelay(base, delay)
    const chunked = chunk === undefined ? delayed : RequestResolver.batchN(delayed, chunk)
    this.resolver = maxHold === undefined ? chunked : Batching.graphAware(chunked, { maxHold })
  }
}

const assertSound = ({ asked, open }: Backend, { chunk }: Setup): void => {
  assert.strictEqual(open, 0)
  for (const call of asked) {
    assert.strictEqual(new Set(call).size, call.length, "no key is twice in a call")
    assert.isAtMost(call.length, chunk ?? Infinity)
  }
}

describe("requests of generated graphs", () => {
  it("give the values of the plain run with any batches, holds, chunks and limits", () =>
    fc.assert(
      fc.asyncProperty(graphs, setups, setups, options, async (specs, first, second, option) => {
        const backends = [new Backend(first), new Backend(second)] as const
        const page = Loader.make(targetsOf(specs, [backends[0].resolver, backends[1].resolver]), option)
        const values = await Effect.runPromise(VirtualTime.run(Loader.load(page) as Effect.Effect<unknown>))
        assert.deepStrictEqual(values, plainly(specs))
        assertSound(backends[0], first)
        assertSound(backends[1], second)
      }),
      { numRuns: 150 }
    ))

  it("give the values of the plain run in runs that overlap and share calls", () =>
    fc.assert(
      fc.asyncProperty(graphs, graphs, setups, fc.nat(12), async (one, other, setup, later) => {
        const backend = new Backend(setup)
        const load = (specs: typeof one) =>
          Loader.load(Loader.make(targetsOf(specs, [backend.resolver, backend.resolver]))) as Effect.Effect<unknown>
        const both = Effect.all([load(one), Effect.delay(load(other), later)], { concurrency: "unbounded" })
        const values = await Effect.runPromise(VirtualTime.run(both))
        assert.deepStrictEqual(values, [plainly(one), plainly(other)])
        assertSound(backend, setup)
      }),
      { numRuns: 100 }
    ))

  it("are held for at most `maxHold` a level", () =>
    fc.assert(
      fc.asyncProperty(graphs, setups, fc.integer({ min: 0, max: 20 }), async (specs, setup, maxHold) => {
        const time = async (budget: number | undefined) => {
          const backend = new Backend({ ...setup, chunk: undefined, maxHold: budget })
          const page = Loader.make(targetsOf(specs, [backend.resolver, backend.resolver]))
          const report = await Effect.runPromise(
            VirtualTime.run(Loader.settle(page) as Effect.Effect<Report.Report<unknown>>)
          )
          return report.until - report.startedAt
        }
        const [plain, held] = [await time(undefined), await time(maxHold)]
        assert.isAtMost(held, plain + maxHold * specs.length + 1e-6)
      }),
      { numRuns: 80 }
    ))

  it.effect("leave no call without a waiter and no fiber, if interrupted at any step", () =>
    Effect.gen(function* () {
      for (const maxHold of [undefined, 1000]) {
        const setup: Setup = { takes: 5, chunk: undefined, maxHold, delay: 0 }
        let backend = new Backend(setup)
        const specs = [
          { needs: [], delay: 0, kind: "request", resolver: 0, seed: 1 },
          { needs: [], delay: 7, kind: "list", resolver: 0, seed: 2 },
          { needs: [0], delay: 2, kind: "optional", resolver: 0, seed: -1 },
          { needs: [1, 2], delay: 1, kind: "request", resolver: 0, seed: 3 }
        ] as const
        const times = yield* Interruption.atEveryStep(
          (probed) => {
            backend = new Backend(setup)
            return Loader.load(
              probed(Loader.make(targetsOf(specs, [backend.resolver, backend.resolver])))
            ) as Effect.Effect<unknown>
          },
          { check: () => assert.strictEqual(backend.open, 0) }
        )
        assert.isAbove(times, 20)
      }
    })
  )

  it.effect("of one run get their answers, if a run that shares its calls is interrupted at any step", () =>
    Effect.gen(function* () {
      const setup: Setup = { takes: 5, chunk: undefined, maxHold: 1000, delay: 0 }
      const specs = [
        { needs: [], delay: 1, kind: "request", resolver: 0, seed: 1 },
        { needs: [0], delay: 3, kind: "list", resolver: 0, seed: 2 }
      ] as const
      for (let at = 0; at < 25; at++) {
        const backend = new Backend(setup)
        const load = Loader.load(
          Loader.make(targetsOf(specs, [backend.resolver, backend.resolver]))
        ) as Effect.Effect<unknown>
        const both = Effect.all([load, Effect.timeoutOption(load, at)], { concurrency: "unbounded" })
        const [values] = yield* VirtualTime.run(both)
        assert.deepStrictEqual(values, plainly(specs))
        assert.strictEqual(backend.open, 0)
      }
    })
  )
})
