/** One graph under two schedules. */
import { Loader } from "effect-loader"
import { a } from "./resources.ts"

export const eager = Loader.make({ a }, { name: "nested, eager" })
export const byLevels = Loader.make({ a }, { name: "nested, by levels", scheduling: "batched" })
