/**
 * Writes to a store. The writes of one tick are one call for each shard, and no load waits for them.
 *
 * Values that a slow store has not taken yet wait, one for each key, up to a bound. Further values are dropped and counted: they
 * are missing in the store, and the next reader loads them.
 */
import type * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import type * as Persistence from "effect/persistence/Persistence"
import { effectOf } from "../base/ExpectedEffect.ts"
import { isIn, type Range } from "../cache/Key.ts"
import { Calls } from "./Calls.ts"
import { type Failures, reasonOf, theStore } from "./Failures.ts"
import type { KeyNames } from "./StoreKeys.ts"

/** A value on its way to the store. */
export interface PendingWrite {
  readonly key: string
  readonly names: KeyNames
  readonly value: unknown
  /** When its load began, in milliseconds since 1970. */
  readonly since: number
}

/** The arguments of a store for one value. */
export type StoreEntry = readonly [name: string, stored: object, timeToLive: Duration.Duration]

const mostWaiting = 10_000
const fullCall = 500

export class Writes {
  /** Values that the store has taken, has rejected, and was not sent. */
  written = 0
  failed = 0
  dropped = 0
  private readonly store: Persistence.BackingPersistenceStore
  private readonly encode: (write: PendingWrite) => Effect.Effect<StoreEntry | undefined, unknown>
  private readonly failures: Failures
  private readonly waiting = new Map<string, PendingWrite>()
  private readonly calls: Calls
  private readonly idle = Latch.makeUnsafe(true)
  private closed = false

  /** `encode` returns `undefined` for a value that has expired. */
  constructor(
    store: Persistence.BackingPersistenceStore,
    context: Context.Context<never>,
    failures: Failures,
    encode: (write: PendingWrite) => Effect.Effect<StoreEntry | undefined, unknown>
  ) {
    this.store = store
    this.failures = failures
    this.encode = encode
    // One call at a time, so that the later of two values of one key stays.
    this.calls = new Calls(context, 1, () => this.flush())
  }

  add(write: PendingWrite): void {
    if (this.closed) return this.drop(1, closing)
    if (this.waiting.size >= mostWaiting && !this.waiting.has(write.key)) return this.drop(1, full)
    this.waiting.set(write.key, write)
    this.idle.closeUnsafe()
    this.calls.schedule()
  }

  /** Drops the values of a range that are not sent yet. */
  forget(range: Range): void {
    for (const key of this.waiting.keys()) if (isIn(key, range)) this.waiting.delete(key)
  }

  /** Takes no more values, and writes the waiting ones for at most `within` milliseconds. */
  close(within: number): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.closed = true
      return Effect.interruptible(Effect.timeoutOption(this.idle.await, within))
    }).pipe(
      Effect.andThen(this.calls.close),
      Effect.andThen(
        Effect.sync(() => {
          if (this.waiting.size > 0) this.drop(this.waiting.size, closing)
          this.waiting.clear()
        })
      )
    )
  }

  private drop(count: number, reason: string): void {
    this.dropped += count
    this.failures.tell("drop", reason)
  }

  private flush(): void {
    if (!this.calls.hasRoom) return
    const taken = this.take()
    if (taken.length > 0) this.calls.run(this.send(taken), () => {})
    else this.idle.openUnsafe()
  }

  /** The writes of the next call, all of one shard. */
  private take(): ReadonlyArray<PendingWrite> {
    const taken: Array<PendingWrite> = []
    for (const write of this.waiting.values()) {
      if (taken.length >= fullCall) break
      if (taken.length > 0 && write.names.shard !== taken[0]!.names.shard) continue
      this.waiting.delete(write.key)
      taken.push(write)
    }
    return taken
  }

  private send(writes: ReadonlyArray<PendingWrite>): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      const entries: Array<StoreEntry> = []
      for (const write of writes) {
        const encoded = yield* Effect.exit(this.encode(write))
        if (Exit.isFailure(encoded)) this.fail(1, encoded)
        else if (encoded.value !== undefined) entries.push(encoded.value)
      }
      if (entries.length === 0) return
      const exit = yield* Effect.exit(
        this.calls.limited(
          effectOf(theStore, "`setMany`", () => this.store.setMany(entries as [StoreEntry, ...Array<StoreEntry>]))
        )
      )
      if (Exit.isFailure(exit)) this.fail(entries.length, exit)
      else this.written += entries.length
    })
  }

  private fail(count: number, { cause }: Exit.Failure<unknown, unknown>): void {
    this.failed += count
    this.failures.tell("write", reasonOf(cause))
  }
}

const closing = "the cache is closed"
const full = `${mostWaiting} values wait already`
