/** The interfaces of observers. */
import type * as Context from "effect/Context"
import type { CompensationStarted, RunEvent } from "./RunEvent.ts"

/**
 * Receives each event of a run, synchronously.
 *
 * It must be quick, and cannot change the run: its first exception in a run is logged, and all are dropped.
 *
 * @since 0.1.0
 * @category models
 */
export type OnEvent = (event: RunEvent) => void

/**
 * The observer of one run.
 *
 * - `onEvent`: see {@link OnEvent}.
 * - `within`: returns the context for the effects of a resource (`attempt` is `undefined`), for each attempt of a resource that
 *   can have several, and for each attempt of an item (`item`) of a list. It gets the current context and may add a span or log
 *   annotations. It must keep the services that resources need.
 * - `undoing`: the same for a compensation or a cleanup, after its event.
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
 * Called at the start of each run with the caller's context. Returns an observer of that run, or `undefined`.
 *
 * @since 0.1.0
 * @category models
 */
export type Watch = (context: Context.Context<never>) => Watcher | undefined
