/** A level behind the memory of a cache, such as a store. It bounds its own time, and it never fails. */
import type * as Effect from "effect/Effect"
import type { Key, Range } from "./Key.ts"

/** A value, and how much longer it is fresh, in milliseconds; negative once it has expired. */
export interface LevelValue {
  readonly value: unknown
  readonly freshFor: number
}

/** The answer of a level. The `found` of a miss has expired: it only replaces errors. `reason` is a text for people. */
export type Answer =
  | { readonly result: "hit"; readonly found: LevelValue }
  | { readonly result: "miss"; readonly found?: LevelValue }
  | { readonly result: "error"; readonly found?: never; readonly reason: string }

/** The numbers of values that a level has written, could not write, and did not try to write. */
interface WriteCounts {
  readonly written: number
  readonly failed: number
  readonly dropped: number
}

export interface Level {
  readonly get: (key: Key) => Effect.Effect<Answer>
  /** Accepts a value whose load began at `since`, in milliseconds since 1970, and writes it later. */
  readonly set: (key: Key, value: unknown, since: number) => void
  /** Forgets keys for all processes that share the level. Returns whether it succeeded. */
  readonly forget: (range: Range) => Effect.Effect<boolean>
  readonly counts: WriteCounts
}
