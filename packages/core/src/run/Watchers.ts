/**
 * Who watches the runs of a context.
 *
 * Each who watches has a key of their own, so that layers compose however they are put together: a merge keeps all of
 * them, and one that is provided twice is there once. A flag beside them tells at once that there is nobody to look for.
 */
import { Context } from "effect"
import type { CompensationStarted, RunEvent } from "./RunEvent.ts"

/**
 * Receives each event of a run, synchronously, as it happens.
 *
 * It must be quick, and it can change nothing: what it throws is logged once a run and dropped.
 *
 * @since 0.1.0
 * @category models
 */
export type OnEvent = (event: RunEvent) => void

/**
 * What watches one run.
 *
 * - `onEvent`: see {@link OnEvent}.
 * - `within`: the context in which the effects of a resource run (`attempt` is `undefined`), and those of each of its
 *   attempts where policies can make several, and of each attempt of each item (`item`) of a list. It gets the context that they would run in; a span, or annotations of
 *   logs, are added here. It must not take away or replace what a resource needs.
 * - `undoing`: the same for a compensation or a cleanup, when its event has been told.
 *
 * @since 0.1.0
 * @category models
 */
export interface Watcher {
  readonly onEvent: OnEvent
  readonly within?: (
    context: Context.Context<never>,
    resource: string,
    attempt: number | undefined,
    item: number | undefined
  ) => Context.Context<never>
  readonly undoing?: (context: Context.Context<never>, event: CompensationStarted) => Context.Context<never>
}

/**
 * Asked at the start of each run, with the services of whoever runs it, whether it wants to watch that run.
 *
 * @since 0.1.0
 * @category models
 */
export type Watch = (context: Context.Context<never>) => Watcher | undefined

const prefix = "effect-loader/Observer/"

const Watched: Context.Reference<boolean> = /* @__PURE__ */ Context.Reference<boolean>("effect-loader/Watched", {
  defaultValue: () => false
})

let keys = 0

/** A key for one who watches. */
export const newKey = (): string => prefix + ++keys

/** A context in which `watch` watches too. */
export const withWatch = (context: Context.Context<never>, key: string, watch: Watch): Context.Context<never> =>
  Context.add(Context.add(context, Watched, true), Context.Service<never, Watch>(key), watch)

const none: ReadonlyArray<Watch> = []

/** Everybody who may want to watch the runs of a context. */
export const watchesOf = (context: Context.Context<never>): ReadonlyArray<Watch> => {
  if (!Context.get(context, Watched)) return none
  const watches: Array<Watch> = []
  context.mapUnsafe.forEach((service, key) => {
    if (key.startsWith(prefix)) watches.push(service)
  })
  return watches
}
