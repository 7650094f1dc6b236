/** A level behind the memory of a cache. It answers in its own time, and it never fails. */
import type { Effect } from "effect"
import type { Key, Range } from "./Key.ts"

/** A value, and how much longer it is fresh, in milliseconds; negative where that is over. */
export interface Found {
  readonly value: unknown
  readonly freshFor: number
}

/** What a level answers. With a miss, what it found may be there for when loading fails; `reason` is in words. */
export type Answer =
  | { readonly result: "hit"; readonly found: Found }
  | { readonly result: "miss"; readonly found?: Found }
  | { readonly result: "error"; readonly found?: never; readonly reason: string }

/** How many values a level has written, could not write, and did not try to write. */
interface WriteCounts {
  readonly written: number
  readonly failed: number
  readonly dropped: number
}

export interface Level {
  readonly get: (key: Key) => Effect.Effect<Answer>
  /** Takes a value whose load began at `since`, in milliseconds since 1970, to keep it in its own time. */
  readonly set: (key: Key, value: unknown, since: number) => void
  /** Forgets, for all who share it. Says whether it could. */
  readonly forget: (range: Range) => Effect.Effect<boolean>
  readonly counts: WriteCounts
}
