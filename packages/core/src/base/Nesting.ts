/**
 * Runs inside runs, to any depth, on a stack that has an end.
 *
 * One run begins inside another one, tells it of its end, and is interrupted with it: each time, functions of both are on
 * the stack. Such functions `enter`, and `leave` when they are done. Where too many have entered inside each other, what
 * the next one would do is put off: the outermost does it, on a short stack, before it leaves. So all of it is still done
 * by the time that the outermost has returned, and what is synchronous stays synchronous.
 *
 * What another scheduler runs is apart: `Effect.runSync` inside a load needs its result when it returns.
 */
import * as AsyncContext from "./AsyncContext.ts"

/** How many loaders may be inside each other. */
export const deepest = 50_000

/** How many may have entered inside each other. */
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
/** Those of other schedulers, further out on the stack. */
const around: Array<Entered> = []

/** Whether something may be done now; otherwise it is for `putOff`. `by`: the scheduler. Who enters has to leave. */
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

/** Has the outermost do something, in the asynchronous context of here. Only for who may not enter. */
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

/** Does what was put off, and what that puts off, and is again what it was further out. */
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

/** How many runs are inside each other where something begins now, as far as they began on one stack. */
export const level = { now: 0 }
