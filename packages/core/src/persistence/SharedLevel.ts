/**
 * The level of a cache that processes share: one of Effect's stores, with batched calls and a time limit.
 *
 * A store cannot search by prefix, and a value can be on its way to the store. So invalidation does not look for values: it
 * writes a mark with the current instant. A value counts only if its load began after all marks of its key, so a value from
 * before a mark never comes back, however late it is written.
 *
 * The time to live of a value starts with its load. So a value from before a mark has expired when the mark expires.
 */
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import type * as Persistence from "effect/persistence/Persistence"
import { effectOf } from "../base/ExpectedEffect.ts"
import type { Key, Range } from "../cache/Key.ts"
import type { Answer, Level } from "../cache/Level.ts"
import { Calls } from "./Calls.ts"
import { Failures, limited, reasonOf, theStore } from "./Failures.ts"
import { Reads } from "./Reads.ts"
import type { KeyNames, StoreKeys } from "./StoreKeys.ts"
import { type StoreEntry, type PendingWrite, Writes } from "./Writes.ts"

/** The options of the level, checked. Times are milliseconds. */
export interface LevelSettings<A> {
  readonly cache: string
  readonly keys: StoreKeys
  readonly value: Schema.Codec<A, unknown>
  readonly timeToLive: (value: unknown, key: Key) => number
  readonly staleIfError: number
  /** The upper bound of all times to live. */
  readonly longest: number
  readonly within: number
}

const Mark = Schema.Struct({ forgottenAt: Schema.Finite })
const decodeMark = Schema.decodeUnknownEffect(Mark)

const miss: Answer = { result: "miss" }

/** Whether a value belongs to a key. Stores that ignore case, or use file names, can return the value of another key. */
const isOf = (stored: object, id: string): boolean => (stored as { readonly id?: unknown }).id === id

export interface SharedLevel extends Level {
  readonly close: Effect.Effect<void>
}

export const makeLevel = <A>(
  store: Persistence.BackingPersistenceStore,
  context: Context.Context<never>,
  settings: LevelSettings<A>
): SharedLevel => {
  const { keys, longest, staleIfError, timeToLive, value: schema, within } = settings
  const Stored = Schema.toCodecJson(
    Schema.Struct({ id: Schema.String, value: schema, since: Schema.Finite, freshUntil: Schema.Finite })
  )
  const decode = Schema.decodeUnknownEffect(Stored)
  const encodeStored = Schema.encodeUnknownEffect(Stored)
  const marksLive = Duration.millis(longest + staleIfError)

  const livesOf = (value: unknown, key: string): number => Math.min(timeToLive(value, key), longest)

  const encode = ({ key, names, since, value }: PendingWrite): Effect.Effect<StoreEntry | undefined, unknown> =>
    Effect.gen(function* () {
      const freshUntil = since + livesOf(value, key)
      const now = yield* Clock.currentTimeMillis
      if (!(freshUntil > now)) return undefined
      const stored = yield* encodeStored({ id: names.id, value, since, freshUntil })
      return [names.value, stored as object, Duration.millis(freshUntil + staleIfError - now)] as const
    })

  const failures = new Failures(settings.cache, context)
  const reads = new Reads(store, context)
  const writes = new Writes(store, context, failures, encode)
  const forgetting = new Calls(context, Infinity, () => {})

  const find = (key: string, { id, marks, shard, value: name }: KeyNames): Effect.Effect<Answer, unknown> =>
    Effect.gen(function* () {
      const [stored, ...found] = yield* reads.get(shard, [name, ...marks])
      if (stored === undefined) return miss
      const { freshUntil, since, value } = yield* decode(stored)
      if (!isOf(stored, id)) return miss
      for (const mark of found) {
        if (mark !== undefined && (yield* decodeMark(mark)).forgottenAt >= since) return miss
      }
      // If a clock was set back, no value may be fresh for longer than a new one.
      const freshFor = Math.min(freshUntil - (yield* Clock.currentTimeMillis), livesOf(value, key))
      return { result: freshFor > 0 ? "hit" : "miss", found: { value, freshFor } }
    })

  /** Writes the marks before it removes the value, so that a value written in between is marked. */
  const forget = (range: Range): Effect.Effect<void, unknown> =>
    Effect.gen(function* () {
      const forgottenAt = yield* Clock.currentTimeMillis
      const mark = (name: string) =>
        effectOf(theStore, "`setMany`", () => store.setMany([[name, { forgottenAt }, marksLive]]))
      yield* Effect.forEach(keys.marksFor(range), mark, { concurrency: "unbounded", discard: true })
      if (range._tag === "Key") yield* effectOf(theStore, "`remove`", () => store.remove(keys.namesOf(range.key).value))
    })

  return {
    get: (key) => {
      if (typeof key !== "string") return withoutKey(settings.cache, key.resource)
      const found = Effect.suspend(() => find(key, keys.namesOf(key)))
      return Effect.map(Effect.exit(limited(found, within)), (exit): Answer => {
        if (Exit.isSuccess(exit)) return exit.value
        const reason = reasonOf(exit.cause)
        failures.tell("read", reason)
        return { result: "error", reason }
      })
    },
    set: (key, value, since) => {
      if (typeof key === "string") writes.add({ key, names: keys.namesOf(key), value, since })
    },
    forget: (range) =>
      Effect.suspend(() => {
        writes.forget(range)
        return Effect.map(Effect.exit(limited(forgetting.wait(forget(range)), within)), (exit) => {
          if (Exit.isFailure(exit)) failures.tell("forget", reasonOf(exit.cause))
          return Exit.isSuccess(exit)
        })
      }),
    counts: writes,
    close: Effect.andThen(writes.close(within), Effect.andThen(reads.close, forgetting.close))
  }
}

/** The compiler reports such a resource, so this happens only if the types were bypassed. */
const withoutKey = (cache: string, resource: string): Effect.Effect<never> =>
  Effect.die(
    new Error(
      `cache "${cache}" is persisted, and resource "${resource}" has no key: give it a \`key\`, the same in all processes`
    )
  )
