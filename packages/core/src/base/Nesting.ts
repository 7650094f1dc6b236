/**
 * Runs inside runs, to any depth, on a bounded stack.
 *
 * A run begins inside another one, reports its end to it, and is interrupted with it: each time, functions of both are on
 * the stack. Such functions `enter`, and `leave` when they are done. Where too many have entered inside each other, the
 * work of the next one is put off: the outermost does it, on a short stack, before it leaves. So all work is done
 * when the outermost returns, and synchronous code stays synchronous.
 *
 * Each scheduler has a count of its own: `Effect.runSync` inside a load needs its result when it returns.
 */
import * as AsyncContext from "./AsyncContext.ts"

/** The most loaders inside each other. */
export const deepest = 50_000

/** The most functions that have entered inside each other. */
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

/** Whether work may be done now; otherwise give it to `putOff`. `by`: the scheduler. Each `enter` that succeeds needs a `leave`. */
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

/** Has the outermost do some work later, in the current asynchronous context. Only after `enter` has refused. */
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

/** Does the work that was put off, and the work that this puts off, and restores the count further out. */
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

/** How many runs are inside each other here, as far as they began on one stack. */
export const level = { now: 0 }
