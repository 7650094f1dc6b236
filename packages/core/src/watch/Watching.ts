/**
 * Finds the observers of a run, and plugs them into it.
 *
 * Each observer has a key of its own, so that layers compose however they are put together: a merge keeps all of
 * them, and one that is provided twice is there once.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as RunLocal from "../base/RunLocal.ts"
import { counter } from "../base/Shared.ts"
import { checked, type Expected } from "../base/UserValue.ts"
import { planOf } from "../compile/Plan.ts"
import type { Extension, Hooks } from "../model/Extension.ts"
import type { AnyEffect } from "../model/Node.ts"
import { bringing, type Execution, withExtension } from "../run/Execution.ts"
import type { Run } from "../run/Run.ts"
import type { RunParent } from "./RunEvent.ts"
import { RunWatch } from "./RunWatch.ts"
import type { OnEvent, Watch, Watcher } from "./Watchers.ts"

const prefix = "effect-loader/Observer/"

const nextKey = /* @__PURE__ */ counter("observers")

/** A key for one observer. */
export const newKey = (): string => prefix + nextKey()

/** A context in which `watch` watches too. */
export const withWatch = (context: Context.Context<never>, key: string, watch: Watch): Context.Context<never> =>
  Context.add(withExtension(context, "watching", watching), Context.Service<never, Watch>(key), watch)

/** What reads the events of a run and of all runs inside it, and where that run is inside another one. */
interface Around {
  readonly readers: ReadonlyArray<Watcher>
  readonly parent: RunParent | undefined
}

const CurrentAround: Context.Reference<Around | undefined> = /* @__PURE__ */ RunLocal.makeOfStep<Around>("Watching")

/** A run whose events, and those of the runs inside it, are read by this function, too. */
export const readBy = (onEvent: OnEvent, self: AnyEffect): AnyEffect =>
  Effect.updateService(self, CurrentAround, (around): Around => {
    const { parent, readers = [] } = around ?? { parent: undefined }
    return { parent, readers: [...readers, { onEvent }] }
  })

const watchesOf = (context: Context.Context<never>): ReadonlyArray<Watch> => {
  const watches: Array<Watch> = []
  context.mapUnsafe.forEach((service, key) => {
    if (key.startsWith(prefix)) watches.push(service)
  })
  return watches
}

/** Tells the log of an observer's crash: once a run, which does not wait for it. */
const logCrash = (fiber: Fiber.Fiber<unknown, unknown>) => (defect: unknown) => {
  Effect.runForkWith(fiber.context)(Effect.logError("an observer of effect-loader crashed", Cause.die(defect)))
}

const aWatcher: Expected<Watcher> = {
  text: "an object with a function `onEvent`, or undefined",
  read: (value) => (typeof (value as Watcher | null)?.onEvent === "function" ? (value as Watcher) : undefined)
}

/** What watches a run. */
interface Watched {
  readonly watch: RunWatch
  readonly readers: ReadonlyArray<Watcher>
}

const watchedOf = ({ program }: Run, { fiber, isInside, runnable }: Execution): Watched | undefined => {
  const onCrash = logCrash(fiber)
  const { parent, readers = [] } = (isInside ? fiber.getRef(CurrentAround) : undefined) ?? { parent: undefined }
  const watchers = [...readers]
  for (const watch of watchesOf(fiber.context)) {
    try {
      const watcher = watch(fiber.context)
      if (watcher !== undefined) watchers.push(checked("an observer", "its function", aWatcher, watcher))
    } catch (defect) {
      onCrash(defect)
    }
  }
  if (watchers.length === 0) return undefined
  const clock = fiber.getRef(Clock.Clock)
  return { readers, watch: new RunWatch({ program, plan: planOf(runnable), watchers, parent, clock, onCrash }) }
}

/** Tells observers what happens in a run. The context of the caller brings it. */
export const watching: Extension = {
  open: (run: Run, _data: undefined, execution: Execution): Hooks | undefined => {
    const watched = execution.stateOf(watching, () => watchedOf(run, execution))
    if (watched === undefined) return undefined
    const { readers, watch } = watched
    return {
      ...watch.hooksOf(run),
      enclose: (index, item, self) => {
        const around: Around = { readers, parent: watch.parentOf(index, item) }
        const inside = Effect.provideService(self, CurrentAround, around)
        return readers.length === 0 ? inside : bringing([watching], inside)
      }
    }
  }
}
