/** Who watches runs, and what they get. */
import type * as Context from "effect/Context"
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
