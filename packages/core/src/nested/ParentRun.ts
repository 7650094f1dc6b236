/** What a run that is inside another one knows of that one. */
import type * as Context from "effect/Context"
import * as RunLocal from "../base/RunLocal.ts"
import type { Inside } from "../request/Foresight.ts"
import type { RunParent } from "../watch/RunEvent.ts"
import type { OuterSlots } from "./ParentSlots.ts"
import type { Reporter } from "../watch/RunWatch.ts"

export interface Enclosing {
  /** The slots of the run around, where that run's `concurrency` counts the attempts of this one. */
  readonly slots: OuterSlots | undefined
  /** Where this run is inside of one that foresees requests. */
  readonly inside: Inside | undefined
  /** Which resource of which run this one is inside of, where somebody watches. */
  readonly parent: RunParent | undefined
  /** Who reports of the run around, and so of this one. */
  readonly reporter: Reporter | undefined
}

/** Told to the run that begins next below; what runs below that one is not inside of it any more. */
export const Enclosing: Context.Reference<Enclosing | undefined> =
  /* @__PURE__ */ RunLocal.makeOfStep<Enclosing>("Enclosing")
