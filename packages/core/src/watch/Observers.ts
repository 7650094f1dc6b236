/**
 * Finds the observers of a run in its caller's context, and plugs them into the run.
 *
 * Each observer has its own context key, so layers that observe compose in any order: a merge keeps all of them, and a
 * layer that is provided twice observes once.
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
import { bringing, broughtBy, type Execution, withExtension } from "../run/Execution.ts"
import type { Run } from "../run/Run.ts"
import type { RunParent } from "./RunEvent.ts"
import { RunEmitter } from "./RunEmitter.ts"
import type { OnEvent, Watch, Watcher } from "./Watcher.ts"

const prefix = "effect-loader/Observer/"

const nextKey = /* @__PURE__ */ counter("observers")

/** A context key for one observer. */
export const newObserverKey = (): string => prefix + nextKey()

/** Adds an observer to a context. */
export const withObserver = (context: Context.Context<never>, key: string, watch: Watch): Context.Context<never> =>
  Context.add(withExtension(context, "observing", observing), Context.Service<never, Watch>(key), watch)

/** What a run passes to the runs inside its steps: the readers of its own events, and the step. */
interface Inherited {
  readonly readers: ReadonlyArray<Watcher>
  readonly parent: RunParent | undefined
}

const CurrentInherited: Context.Reference<Inherited | undefined> =
  /* @__PURE__ */ RunLocal.makeOfStep<Inherited>("Observing")

/** Passes the events of a run, and of the runs inside it, to a function. */
export const readBy = (onEvent: OnEvent, self: AnyEffect): AnyEffect =>
  RunLocal.updateOfStep(self, CurrentInherited, (inherited): Inherited => {
    const { parent, readers = [] } = inherited ?? { parent: undefined }
    return { parent, readers: [...readers, { onEvent }] }
  })

/** Logs the crash of an observer. The run does not wait for the log. */
const logCrash = (fiber: Fiber.Fiber<unknown, unknown>) => (defect: unknown) => {
  Effect.runForkWith(fiber.context)(Effect.logError("an observer of effect-loader crashed", Cause.die(defect)))
}

const anObserver: Expected<Watcher> = {
  text: "an object with a function `onEvent`, or undefined",
  read: (value) => (typeof (value as Watcher | null)?.onEvent === "function" ? (value as Watcher) : undefined)
}

/** A run that has observers. */
interface ObservedRun {
  readonly emitter: RunEmitter
  readonly readers: ReadonlyArray<Watcher>
}

const observedRunOf = ({ program }: Run, { fiber, isInside, runnable }: Execution): ObservedRun | undefined => {
  const onCrash = logCrash(fiber)
  const { parent, readers = [] } = (isInside ? fiber.getRef(CurrentInherited) : undefined) ?? { parent: undefined }
  const observers = [...readers]
  for (const watch of broughtBy<Watch>(fiber.context, prefix)) {
    try {
      const observer = watch(fiber.context)
      if (observer !== undefined) observers.push(checked("an observer", "its function", anObserver, observer))
    } catch (defect) {
      onCrash(defect)
    }
  }
  if (observers.length === 0) return undefined
  const clock = fiber.getRef(Clock.Clock)
  return { readers, emitter: new RunEmitter({ program, plan: planOf(runnable), observers, parent, clock, onCrash }) }
}

/** Reports a run to its observers. The caller's context brings it. */
export const observing: Extension = {
  open: (run: Run, _data: undefined, execution: Execution): Hooks | undefined => {
    const observed = execution.stateOf(observing, () => observedRunOf(run, execution))
    if (observed === undefined) return undefined
    const { emitter, readers } = observed
    return {
      ...emitter.hooksOf(run),
      enclose: (index, item, self) => {
        const inherited: Inherited = { readers, parent: emitter.parentOf(index, item) }
        const inside = RunLocal.provideOfStep(self, CurrentInherited, inherited)
        return readers.length === 0 ? inside : bringing([observing], inside)
      }
    }
  }
}
