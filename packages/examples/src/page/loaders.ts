/** One graph, compiled three times: the schedules that the program compares. */
import { Loader } from "effect-loader"
import { page } from "./resources.ts"

/** Each resource starts when what it needs itself is there. */
export const eager = Loader.make({ page }, { name: "page", concurrency: 8 })

/** Level after level: `Effect.all` of all that is possible, then the next. */
export const byLevels = Loader.make({ page }, { name: "page", concurrency: 8, scheduling: "batched" })

/** One thing after the other. */
export const oneByOne = Loader.make({ page }, { name: "page", concurrency: 1 })
