/** A level behind the memory of a cache. It answers in its own time, and it never fails. */
import type { Effect } from "effect"
import type { Key, Range } from "./Key.ts"

/** A value, and how much longer it is fresh, in milliseconds; negative where that is over. */
export interface Found {
  readonly value: unknown
  readonly freshFor: number
}

/** What a level answers. With a miss, what it found may be there for when loading fails. */
export type Answer =
  | { readonly result: "hit"; readonly found: Found }
  | { readonly result: "miss"; readonly found?: Found }
  | { readonly result: "error"; readonly found?: never }

export interface Level {
  readonly get: (key: Key) => Effect.Effect<Answer>
  /** Keeps a value whose load began at `since`, in milliseconds since 1970. Says whether it could. */
  readonly set: (key: Key, value: unknown, since: number) => Effect.Effect<boolean>
  /** Forgets, for all who share it. Says whether it could. */
  readonly forget: (range: Range) => Effect.Effect<boolean>
}
