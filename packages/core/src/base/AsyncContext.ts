/**
 * Asynchronous contexts. The current one decides which store each `AsyncLocalStorage` returns.
 *
 * A fiber of Effect restores its own context after each wait. Code that starts a fiber on the stack of another run first enters
 * the right context: that of the fiber's run, or, for work that several callers share, the root context, in which no caller's
 * store is visible.
 *
 * The module looks up `async_hooks` as Effect does, without an import. In runtimes without it, such as browsers, it does nothing.
 */

/** A captured asynchronous context. */
export interface AsyncContext {
  readonly runInAsyncScope: <A>(f: () => A) => A
  /** Tells async hooks that nothing will run in this context any more. */
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

/** Captures the current asynchronous context. Either run in it once, or release it. */
export const capture = (): AsyncContext | undefined =>
  Resource === undefined ? undefined : new Resource("effect-loader")

const release = (self: AsyncContext | undefined): void => self?.emitDestroy()

/** Runs `f` in a captured context, for the last time. */
export const resume = <A>(self: AsyncContext | undefined, f: () => A): A => {
  if (self === undefined) return f()
  try {
    return self.runInAsyncScope(f)
  } finally {
    self.emitDestroy()
  }
}

/** What a run needs to return to its own asynchronous context, when another run hands something over in its own. */
export const ownContext = { capture, release, resume }

export type OwnContext = typeof ownContext

/** The context in which this module was loaded: that of the program. Functions can run in it after its release. */
const root = /* @__PURE__ */ ((): AsyncContext | undefined => {
  const captured = capture()
  release(captured)
  return captured
})()

/** Runs `f` in the root context. */
export const inRoot = <A>(f: () => A): A => (root === undefined ? f() : root.runInAsyncScope(f))
