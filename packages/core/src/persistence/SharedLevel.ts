/**
 * The level of a cache that processes share: a store of Effect's, asked in one go and within a limit.
 *
 * What is to be forgotten is not looked for, as a store knows no prefixes, and a value that is on its way to the store
 * could not be found there. It is marked instead, with the instant: a value counts only if its load began after all marks
 * on its way. So nothing that was loaded before comes back, however late somebody writes it.
 */
import { Clock, Duration, Effect, Exit, Schema } from "effect"
import type * as Persistence from "effect/persistence/Persistence"
import type { Key, Range } from "../cache/Key.ts"
import type { Answer, Level } from "../cache/Level.ts"

/** What the level was told. Times are milliseconds. */
export interface Settings<A> {
  readonly value: Schema.Codec<A, unknown>
  readonly timeToLive: (value: unknown, key: Key) => number
  readonly staleIfError: number
  /** No value lives longer, and none is taken whose load took longer. */
  readonly longest: number
  readonly within: number
}

const Mark = Schema.Struct({ forgottenAt: Schema.Finite })

const separator = ":"

/** The prefixes of a key, from the shortest: `a:b:c` has `a`, `a:b` and itself. */
const prefixesOf = (key: string): ReadonlyArray<string> => {
  const prefixes: Array<string> = []
  for (let end = key.indexOf(separator); end >= 0; end = key.indexOf(separator, end + 1)) {
    prefixes.push(key.slice(0, end))
  }
  return [...prefixes, key]
}

const valueId = (key: string): string => `value/${key}`

const markId = (range: Range): string => {
  if (range._tag === "All") return "forgotten"
  return range._tag === "Key" ? `forgotten/key/${range.key}` : `forgotten/under/${range.prefix}`
}

/** All that can have a key forgotten. */
const markIds = (key: string): ReadonlyArray<string> => [
  markId({ _tag: "All" }),
  markId({ _tag: "Key", key }),
  ...prefixesOf(key).map((prefix) => markId({ _tag: "Under", prefix }))
]

const miss: Answer = { result: "miss" }
const error: Answer = { result: "error" }

export const makeLevel = <A>(store: Persistence.BackingPersistenceStore, settings: Settings<A>): Level => {
  const { longest, staleIfError, timeToLive, value: schema, within } = settings
  const Stored = Schema.toCodecJson(Schema.Struct({ value: schema, since: Schema.Finite, freshUntil: Schema.Finite }))
  const decode = Schema.decodeUnknownEffect(Stored)
  const encode = Schema.encodeUnknownEffect(Stored)
  const decodeMark = Schema.decodeUnknownEffect(Mark)
  // A mark has to outlive what it is about: a load that had begun by then, and then its value.
  const marksLive = Duration.millis(2 * longest + staleIfError)

  const livesOf = (value: unknown, key: string): number => Math.min(timeToLive(value, key), longest)

  /** The store may fail in any way, also by taking too long: that is for its caller to make nothing of. */
  const guarded = <B, E>(self: Effect.Effect<B, E>): Effect.Effect<Exit.Exit<B, unknown>> =>
    Effect.exit(Effect.timeout(self, within))

  const find = (key: string): Effect.Effect<Answer, unknown> =>
    Effect.gen(function* () {
      const [stored, ...marks] = yield* store.getMany([valueId(key), ...markIds(key)])
      if (stored === undefined) return miss
      const { freshUntil, since, value } = yield* decode(stored)
      for (const mark of marks) {
        if (mark !== undefined && (yield* decodeMark(mark)).forgottenAt >= since) return miss
      }
      // Where a clock has been set back, no value is fresh for longer than one that is written now.
      const freshFor = Math.min(freshUntil - (yield* Clock.currentTimeMillis), livesOf(value, key))
      return { result: freshFor > 0 ? "hit" : "miss", found: { value, freshFor } }
    })

  const put = (key: string, value: unknown, since: number): Effect.Effect<void, unknown> =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const lives = livesOf(value, key)
      if (!(lives > 0) || now - since > longest) return
      const stored = yield* encode({ value, since, freshUntil: now + lives })
      yield* store.set(valueId(key), stored as object, Duration.millis(lives + staleIfError))
    })

  const mark = (range: Range): Effect.Effect<void, unknown> =>
    Effect.gen(function* () {
      const forgottenAt = yield* Clock.currentTimeMillis
      yield* store.set(markId(range), { forgottenAt }, marksLive)
    })

  return {
    // A cache with a level behind it is for keys that are text: see its layer.
    get: (key) =>
      Effect.map(guarded(find(key as string)), (exit): Answer => (Exit.isSuccess(exit) ? exit.value : error)),
    set: (key, value, since) => Effect.map(guarded(put(key as string, value, since)), Exit.isSuccess),
    forget: (range) => Effect.map(guarded(mark(range)), Exit.isSuccess)
  }
}
