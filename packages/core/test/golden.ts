/** Golden files: what something printed when somebody last looked at it. */
import { Effect } from "effect"
import { expect } from "vitest"

/** Holds a text against a file of `golden`, which a run with `--update` writes anew. */
export const golden = (file: string, text: string): Effect.Effect<void> =>
  Effect.promise(() => expect(text).toMatchFileSnapshot(`../golden/${file}`))
