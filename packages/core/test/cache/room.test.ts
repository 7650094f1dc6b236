/** The bounds of a cache, and how long its entries take memory: in virtual time, against a naive model. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import { ResourceCache } from "effect-loader"
import fc from "fast-check"

interface Value {
  readonly load: number
  readonly weight: number
  readonly lives: number
}

class Values extends ResourceCache.Service<Values, Value>()("test/Values") {}

const layerOf = (room: ResourceCache.Capacity<Value>, options: Partial<ResourceCache.MemoryOptions<Value>> = {}) =>
  Values.layer({ capacity: room, timeToLive: ({ lives }) => lives, ...options })

const reads = (lives: fc.Arbitrary<number>) =>
  fc.array(
    fc.record({
      key: fc.nat({ max: 7 }),
      weight: fc.oneof(fc.nat({ max: 5 }), fc.constantFrom(0, 9, 20, Infinity)),
      lives,
      pause: fc.nat({ max: 600 })
    }),
    { minLength: 1, maxLength: 60 }
  )

/** The entries, the least recently used first. */
class Model {
  private readonly all: Array<Value & { readonly key: number; readonly until: number }> = []
  private readonly room: { readonly entries: number; readonly weight: number }

  constructor(room: { readonly entries: number; readonly weight: number }) {
    this.room = room
  }

  get weight(): number {
    return this.all.reduce((sum, { weight }) => sum + weight, 0)
  }

  get size(): number {
    return this.all.length
  }

  /** The value of a key, which is loaded if there is none. */
  read(key: number, loaded: Value, now: number): Value {
    const index = this.all.findIndex((one) => one.key === key)
    const [known] = index < 0 ? [] : this.all.splice(index, 1)
    const { lives, load, weight } = known !== undefined && now < known.until ? known : loaded
    const until = known !== undefined && load === known.load ? known.until : now + lives
    if (weight <= this.room.weight && lives > 0) this.all.push({ key, load, weight, lives, until })
    while (this.weight > this.room.weight || this.size > this.room.entries) this.all.shift()
    return { load, weight, lives }
  }
}

const weigh = ({ weight }: Value) => weight

describe("the room of a cache", () => {
  const room = { entries: 5, weight: 10 }

  it("holds the most recently used entries, by number and by weight, as a naive list does", () =>
    fc.assert(
      fc.asyncProperty(reads(fc.constant(1e9)), async (given) => {
        const model = new Model(room)
        const program = Effect.gen(function* () {
          for (const [load, { key, lives, weight }] of given.entries()) {
            const loaded = { load, lives, weight }
            const value = yield* Values.get(String(key), Effect.succeed(loaded))
            assert.deepStrictEqual(value, model.read(key, loaded, 0))
            const stats = yield* Values.stats
            assert.deepStrictEqual([stats.entries, stats.weight], [model.size, model.weight])
          }
        })
        await Effect.runPromise(
          Effect.provide(program, Layer.provideMerge(layerOf({ ...room, weigh }), TestClock.layer()))
        )
      }),
      { numRuns: 200 }
    ))

  it("is never exceeded, is freed after values expire even without readers, and no value is returned after its time", () =>
    fc.assert(
      fc.asyncProperty(reads(fc.nat({ max: 2000 })), async (given) => {
        let now = 0
        const program = Effect.gen(function* () {
          const until = new Map<number, number>()
          for (const [load, { key, lives, pause, weight }] of given.entries()) {
            yield* TestClock.adjust(pause)
            now += pause
            const loaded = { load, lives, weight }
            const value = yield* Values.get(String(key), Effect.succeed(loaded))
            if (value.load === load) until.set(load, now + lives)
            else assert.isBelow(now, until.get(value.load)!)
            const stats = yield* Values.stats
            assert.isAtMost(stats.weight, room.weight)
            assert.isAtMost(stats.entries, room.entries)
          }
          const last = Math.max(now, ...until.values())
          yield* TestClock.adjust(last - now + 1000)
          const { entries, expired, weight } = yield* Values.stats
          assert.deepStrictEqual([entries, weight], [0, 0])
          assert.isAtMost(expired, given.length)
        })
        await Effect.runPromise(
          Effect.provide(program, Layer.provideMerge(layerOf({ ...room, weigh }), TestClock.layer()))
        )
      }),
      { numRuns: 200 }
    ))

  it.effect("is freed within a bound also for many entries, and unexpired entries stay", () =>
    Effect.gen(function* () {
      const get = (key: number, lives: number) =>
        Values.get(String(key), Effect.succeed({ load: key, lives, weight: 1 }))
      yield* Effect.forEach(
        Array.from({ length: 5000 }, (_, key) => key),
        (key) => get(key, key % 2 === 0 ? 1000 : 60_000),
        {
          discard: true
        }
      )
      yield* TestClock.adjust(2000)
      const { entries, evictions, expired } = yield* Values.stats
      assert.deepStrictEqual([entries, evictions, expired], [2500, 0, 2500])
      yield* TestClock.adjust(60_000)
      assert.strictEqual((yield* Values.stats).entries, 0)
    }).pipe(Effect.provide(layerOf(10_000)))
  )

  it.effect("holds stale values as long as they may replace errors", () =>
    Effect.gen(function* () {
      yield* Values.get("key", Effect.succeed({ load: 1, lives: 1000, weight: 1 }))
      yield* TestClock.adjust(59_000)
      const before = yield* Values.stats
      yield* TestClock.adjust(3000)
      const after = yield* Values.stats
      assert.deepStrictEqual([before.entries, after.entries], [1, 0])
    }).pipe(Effect.provide(layerOf(10, { staleIfError: "1 minute" })))
  )

  it.effect("is not swept after the layer's scope is closed", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(layerOf(10), scope)
      const stats = Effect.provideContext(Values.stats, context)
      const value = Values.get("key", Effect.succeed({ load: 1, lives: 1000, weight: 1 }))
      yield* Effect.provideContext(value, context)
      yield* Scope.close(scope, Exit.void)
      yield* TestClock.adjust("1 hour")
      const { entries, expired } = yield* stats
      assert.deepStrictEqual([entries, expired], [1, 0])
    })
  )

  it.effect("holds no value with a time to live of zero, nor the previous value of its key", () =>
    Effect.gen(function* () {
      yield* Values.get("key", Effect.succeed({ load: 1, lives: 1000, weight: 1 }))
      yield* TestClock.adjust(2000)
      yield* Values.get("key", Effect.succeed({ load: 2, lives: 0, weight: 1 }))
      assert.strictEqual((yield* Values.stats).entries, 0)
    }).pipe(Effect.provide(layerOf(10, { staleIfError: "1 minute" })))
  )

  it.effect.each<readonly [string, () => unknown]>([
    ["gave the number NaN", () => NaN],
    ["gave the number -1", () => -1],
    ["gave undefined", () => undefined],
    ["gave a bigint", () => 1n],
    [
      "threw",
      () => {
        throw new Error("bug")
      }
    ]
  ])("dies, by its name and the key, of a weight that is none (%s), for all that wait, and goes on", ([text, weigh]) =>
    Effect.gen(function* () {
      const value = { load: 1, lives: 1000, weight: 1 }
      const load = Effect.as(Effect.sleep(1), value)
      const both = yield* Effect.forkChild(
        Effect.all(
          [1, 2].map(() => Effect.exit(Values.get("user:7", load))),
          { concurrency: 2 }
        ),
        { startImmediately: true }
      )
      yield* TestClock.adjust(1)
      const exits = both.pollUnsafe()
      for (const exit of exits !== undefined && Exit.isSuccess(exits) ? exits.value : assert.fail("both have ended")) {
        const [reason] = Exit.isFailure(exit) ? exit.cause.reasons : []
        const said = reason?._tag === "Die" ? String(reason.defect) : "no defect"
        assert.include(said, 'cache "test/Values": `capacity.weigh`')
        assert.include(said, text)
        assert.include(said, '"user:7"')
      }
      assert.strictEqual((yield* Values.stats).entries, 0)
    }).pipe(Effect.provide(layerOf({ weight: 10, weigh: weigh as () => number })))
  )
})
