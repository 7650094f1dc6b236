/**
 * Runs inside runs, to any depth, on a bounded stack.
 *
 * When a run begins inside another run, ends, or is interrupted with it, functions of both are on the stack. Each such function
 * calls `enter`, and `leave` at its end. When too many have entered inside each other, the next one defers its work: the
 * outermost function does it on a short stack, before it leaves. So all work is done when the outermost function returns,
 * and synchronous code stays synchronous.
 *
 * Each scheduler has a count of its own: `Effect.runSync` inside a load needs its result when it returns.
 */
import * as AsyncContext from "./AsyncContext.ts"

/** The maximal depth of loaders inside loaders. */
export const deepest = 50_000

/** The maximal number of functions that have entered inside each other. */
const mostOnStack = 32

type Task = () => void

interface Entered {
  readonly host: object
  readonly depth: number
  readonly later: Array<Task> | undefined
}

let host: object | undefined = undefined
let depth = 0
let later: Array<Task> | undefined = undefined
/** The counts of other schedulers, further out on the stack. */
const around: Array<Entered> = []

/** Whether work may be done now; otherwise give it to `putOff`. `by` is the scheduler. Each `enter` that succeeds needs a `leave`. */
export const enter = (by: object): boolean => {
  if (by === host) {
    if (depth === mostOnStack) return false
    depth++
    return true
  }
  if (host !== undefined) around.push({ host, depth, later })
  host = by
  depth = 1
  later = undefined
  return true
}

/** Gives work to the outermost function, for the current asynchronous context. Only after `enter` has returned `false`. */
export const putOff = (task: Task): void => {
  const context = AsyncContext.capture()
  ;(later ??= []).push(() => AsyncContext.resume(context, task))
}

export const leave = (): void => {
  depth--
  if (depth > 0) return
  if (later === undefined && around.length === 0) host = undefined
  else leaveLast()
}

/** Does the deferred work, and the work that it defers in turn, and restores the count further out. */
const leaveLast = (): void => {
  depth = 1
  try {
    for (let tasks = later; tasks !== undefined; tasks = later) {
      later = undefined
      for (const task of tasks) task()
    }
  } finally {
    const outer = around.pop()
    host = outer?.host
    depth = outer?.depth ?? 0
    later = outer?.later
  }
}

/** How many runs inside each other began on the current stack. */
export const level = { now: 0 }
