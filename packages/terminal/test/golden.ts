/** Golden files: texts that a reader has looked at, and that a run with `--update` writes again. */
import { Effect } from "effect"
import { expect } from "vitest"

/** Compares a text with a file of `golden`. */
export const golden = (file: string, text: string): Effect.Effect<void> =>
  Effect.promise(() => expect(`${text.trimEnd()}\n`).toMatchFileSnapshot(`golden/${file}`))
