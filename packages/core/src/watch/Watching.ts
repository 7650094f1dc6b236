/**
 * Finds who watches the runs of a context.
 *
 * Each who watches has a key of their own, so that layers compose however they are put together: a merge keeps all of
 * them, and one that is provided twice is there once.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { counter } from "../base/Shared.ts"
import { checked, type Expected } from "../base/UserValue.ts"
import { planOf } from "../loader/Compiled.ts"
import { type Reporter, RunWatch, type WatchRun } from "./RunWatch.ts"
import { Watched } from "./Watched.ts"
import type { OnEvent, Watch, Watcher } from "./Watchers.ts"

const prefix = "effect-loader/Observer/"

const nextKey = /* @__PURE__ */ counter("observers")

/** A key for one who watches. */
export const newKey = (): string => prefix + nextKey()

/** A context in which `watch` watches too. */
export const withWatch = (context: Context.Context<never>, key: string, watch: Watch): Context.Context<never> =>
  Context.add(Context.add(context, Watched, watchRun), Context.Service<never, Watch>(key), watch)

/** One who reports of a run. */
export const reporter = (onEvent: OnEvent): Reporter => ({ onEvent, watchRun })

const watchesOf = (context: Context.Context<never>): ReadonlyArray<Watch> => {
  const watches: Array<Watch> = []
  context.mapUnsafe.forEach((service, key) => {
    if (key.startsWith(prefix)) watches.push(service)
  })
  return watches
}

/** Tells the log of an observer's crash: once a run, and nobody waits for it. */
const logCrash = (fiber: Fiber.Fiber<unknown, unknown>) => (defect: unknown) => {
  Effect.runForkWith(fiber.context)(Effect.logError("an observer of effect-loader crashed", Cause.die(defect)))
}

/** Several who report, as one. */
const together = (reporters: ReadonlyArray<Reporter>): Reporter | undefined =>
  reporters.length < 2 ? reporters[0] : reporter((event) => reporters.forEach((one) => one.onEvent(event)))

const aWatcher: Expected<Watcher> = {
  text: "an object with a function `onEvent`, or undefined",
  read: (value) => (typeof (value as Watcher | null)?.onEvent === "function" ? (value as Watcher) : undefined)
}

const watchRun: WatchRun = ({ compiled, fiber, parent, reporters }) => {
  const onCrash = logCrash(fiber)
  const watchers: Array<Watcher> = reporters.slice()
  for (const watch of watchesOf(fiber.context)) {
    try {
      const watcher = watch(fiber.context)
      if (watcher !== undefined) watchers.push(checked("an observer", "its function", aWatcher, watcher))
    } catch (defect) {
      onCrash(defect)
    }
  }
  if (watchers.length === 0) return undefined
  return new RunWatch({
    program: compiled.program,
    plan: planOf(compiled),
    watchers,
    reporter: together(reporters),
    parent,
    clock: fiber.getRef(Clock.Clock),
    onCrash
  })
}
