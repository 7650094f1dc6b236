/**
 * Asynchronous contexts: what an `AsyncLocalStorage` gives here.
 *
 * A fiber of Effect keeps its own across each wait. What starts a fiber on the stack of another run has to enter the right
 * one first: the one of the run that the fiber is for, or for work that is shared by several callers the root one, in which
 * no caller's store is visible.
 *
 * They are found as Effect finds them, without an import. Where a runtime has none, as in browsers, nothing is done.
 */

/** A captured asynchronous context. */
export interface AsyncContext {
  readonly runInAsyncScope: <A>(f: () => A) => A
  /** Whoever watches asynchronous resources is told that nothing will run here any more. */
  readonly emitDestroy: () => void
}

interface Runtime {
  readonly process?: {
    readonly getBuiltinModule?: (
      id: string
    ) => { readonly AsyncResource: new (type: string) => AsyncContext } | undefined
  }
}

const Resource = /* @__PURE__ */ ((): (new (type: string) => AsyncContext) | undefined => {
  try {
    return (globalThis as Runtime).process?.getBuiltinModule?.("node:async_hooks")?.AsyncResource
  } catch {
    return undefined
  }
})()

/** The asynchronous context of what runs here; to be released, or run in. */
export const capture = (): AsyncContext | undefined =>
  Resource === undefined ? undefined : new Resource("effect-loader")

export const release = (self: AsyncContext | undefined): void => self?.emitDestroy()

/** Runs `f` in a captured context, for the last time. */
export const resume = <A>(self: AsyncContext | undefined, f: () => A): A => {
  if (self === undefined) return f()
  try {
    return self.runInAsyncScope(f)
  } finally {
    self.emitDestroy()
  }
}

/** The context in which this module was loaded: that of the program. It is released at once, and still there to run in. */
const root = /* @__PURE__ */ ((): AsyncContext | undefined => {
  const captured = capture()
  release(captured)
  return captured
})()

/** Runs `f` in the root context. */
export const inRoot = <A>(f: () => A): A => (root === undefined ? f() : root.runInAsyncScope(f))
