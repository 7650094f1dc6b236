/**
 * Whether anybody may want to watch the runs of a context. Who does brings along what tells them of a run, so that programs
 * which nobody watches need not carry it.
 */
import * as Context from "effect/Context"
import type { WatchRun } from "./RunWatch.ts"

export const Watched: Context.Reference<WatchRun | undefined> = /* @__PURE__ */ Context.Reference<WatchRun | undefined>(
  "effect-loader/Watched",
  { defaultValue: () => undefined }
)
