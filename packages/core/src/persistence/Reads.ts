/** Reads of a store. The reads of one tick are one call per shard. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Persistence from "effect/persistence/Persistence"
import { kindOf } from "../base/ValueText.ts"
import { effectOf } from "../base/ExpectedEffect.ts"
import { Calls } from "./Calls.ts"
import { theStore } from "./Failures.ts"

type Stored = object | undefined

interface PendingRead {
  readonly names: ReadonlyArray<string>
  readonly resume: (found: Exit.Exit<ReadonlyArray<Stored>, unknown>) => void
}

/** Calls at a time. Further reads wait for the next call. */
const mostCalls = 8
/** The number of names from which a call takes no further read. */
const fullCall = 1000

export class Reads {
  private readonly store: Persistence.BackingPersistenceStore
  private readonly waiting = new Map<number, Set<PendingRead>>()
  private readonly calls: Calls

  constructor(store: Persistence.BackingPersistenceStore, context: Context.Context<never>) {
    this.store = store
    this.calls = new Calls(context, mostCalls, () => this.flush())
  }

  /** The values stored under these names, in their order. */
  get(shard: number, names: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<Stored>, unknown> {
    return Effect.callback((resume) => {
      const read: PendingRead = { names, resume }
      const reads = this.waiting.get(shard) ?? new Set()
      this.waiting.set(shard, reads.add(read))
      this.calls.schedule()
      return Effect.sync(() => {
        if (reads.delete(read) && reads.size === 0 && this.waiting.get(shard) === reads) this.waiting.delete(shard)
      })
    })
  }

  get close(): Effect.Effect<void> {
    return this.calls.close
  }

  private flush(): void {
    for (const [shard, reads] of this.waiting) {
      while (reads.size > 0 && this.calls.hasRoom) this.send(reads)
      if (reads.size === 0) this.waiting.delete(shard)
    }
  }

  private send(reads: Set<PendingRead>): void {
    const taken: Array<PendingRead> = []
    const places = new Map<string, number>()
    for (const read of reads) {
      if (places.size >= fullCall) break
      reads.delete(read)
      taken.push(read)
      for (const name of read.names) if (!places.has(name)) places.set(name, places.size)
    }
    const names = Array.from(places.keys())
    this.calls.run(
      this.calls.limited(
        effectOf(theStore, "`getMany`", () => this.store.getMany(names as [string, ...Array<string>]))
      ),
      (exit) => {
        const found = Exit.isSuccess(exit) ? check(exit.value, names.length) : exit
        for (const { names, resume } of taken) {
          resume(Exit.map(found, (found) => names.map((name) => found[places.get(name)!])))
        }
      }
    )
  }
}

/** Checks the length of an answer: a short one may lack the mark that invalidates a value. */
const check = (found: unknown, wanted: number): Exit.Exit<ReadonlyArray<Stored>, string> => {
  if (!Array.isArray(found)) return Exit.fail(`the store gave ${kindOf(found)} where a list was expected`)
  if (found.length === wanted) return Exit.succeed(found as ReadonlyArray<Stored>)
  return Exit.fail(`the store gave ${found.length} answers for ${wanted} keys`)
}
