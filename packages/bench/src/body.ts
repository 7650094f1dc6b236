/** What loading one resource is: a computation at once, after a microtask, or after a turn of the event loop. */
import { Effect } from "effect"

export interface Body {
  readonly name: string
  readonly effect: (compute: () => number) => Effect.Effect<number>
  readonly promise: (compute: () => number) => number | Promise<number>
}

const synchronous: Body = {
  name: "sync",
  effect: Effect.sync,
  promise: (compute) => compute()
}

const microtask: Body = {
  name: "microtask",
  effect: (compute) => Effect.promise(() => Promise.resolve(compute())),
  promise: (compute) => Promise.resolve(compute())
}

const immediate: Body = {
  name: "setImmediate",
  effect: (compute) =>
    Effect.callback((resume) => {
      const handle = setImmediate(() => resume(Effect.succeed(compute())))
      return Effect.sync(() => clearImmediate(handle))
    }),
  promise: (compute) => new Promise((resolve) => setImmediate(() => resolve(compute())))
}

export const bodies: ReadonlyArray<Body> = [synchronous, microtask, immediate]
