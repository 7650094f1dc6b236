/**
 * Code that plugs into a run. Steps, loaders and the caller's context bring extensions. A run opens each of them once and
 * calls its hooks. A run without extensions has no hooks.
 */
import type * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { Sent } from "../batching/Call.ts"
import type { OwnContext } from "../base/AsyncContext.ts"
import type { HoldPlace } from "../batching/Hold.ts"
import type { CacheLevel, CacheResult } from "../cache/CacheRead.ts"
import type { GraphIssue } from "./GraphIssue.ts"
import type { AnyEffect, Dependencies, Layer, Refusal, Rewind } from "./Node.ts"
import type { FailedItem } from "./ResourceError.ts"
import type { Limited, Step } from "./Step.ts"

/**
 * Why a resource never ran.
 *
 * - `DependencyFailed`: an ancestor, `resource`, failed, died or was interrupted.
 * - `NotChosen`: only the choice `resource` could want it, and chose another resource or could not choose.
 * - `RunFailed`: the run had failed, because of `resource`, before this resource could start.
 * - `RunTimedOut`, `RunInterrupted`: the run had ended before this resource could start.
 *
 * @since 0.1.0
 * @category models
 */
export type SkipReason =
  | { readonly _tag: "DependencyFailed"; readonly resource: string }
  | { readonly _tag: "NotChosen"; readonly resource: string }
  | { readonly _tag: "RunFailed"; readonly resource: string }
  | { readonly _tag: "RunTimedOut" }
  | { readonly _tag: "RunInterrupted" }

/** How a step ended. */
export type StepEnd =
  | { readonly _tag: "Succeeded" }
  | { readonly _tag: "Failed"; readonly cause: Cause.Cause<unknown> }
  | { readonly _tag: "Skipped"; readonly because: SkipReason }

/**
 * The limit for which a resource waits when all its dependencies are loaded.
 *
 * - `Slot`: the `concurrency` slots of its run are all taken.
 * - `Permit`: the permits of a limiter are all in use; `limit` is their current number.
 * - `FairShare`: as `Permit`, and others wait for the same limiter, so that shares decide which one is next.
 *
 * @since 0.1.0
 * @category models
 */
export type Limit =
  | { readonly _tag: "Slot"; readonly concurrency: number }
  | { readonly _tag: "Permit" | "FairShare"; readonly limiter: string; readonly limit: number }

/** A fact that a feature reports about a step, or about an item of a list. */
export type StepFact =
  | { readonly _tag: "PoliciesStarted" }
  | { readonly _tag: "AttemptStarted"; readonly attempt: number }
  | { readonly _tag: "AttemptEnded"; readonly attempt: number; readonly exit: Exit.Exit<unknown, unknown> }
  | { readonly _tag: "Queued"; readonly attempt: number; readonly limit: Limit }
  | { readonly _tag: "RetryScheduled"; readonly attempt: number; readonly pause: Duration.Duration }
  | { readonly _tag: "HedgeStarted"; readonly attempt: number }
  | { readonly _tag: "Refused"; readonly refusal: Refusal }
  | {
      readonly _tag: "CacheRead"
      readonly cache: string
      readonly level: CacheLevel
      readonly result: CacheResult
      readonly reason?: string
    }
  | { readonly _tag: "RequestMade"; readonly attempt: number }
  | { readonly _tag: "RequestSent"; readonly attempt: number; readonly sent: Sent }
  | { readonly _tag: "ItemsStarted"; readonly items: number }
  | { readonly _tag: "FallbackStarted"; readonly fallback: string; readonly error: unknown }
  | { readonly _tag: "Degraded"; readonly fallback: string; readonly error: unknown }
  | { readonly _tag: "Chosen"; readonly choice: string; readonly chosen: number }
  | { readonly _tag: "Wanted" }

/** Reads the facts of a run. */
export type Sink = (index: number, item: number | undefined, fact: StepFact) => void

/** Why a run stopped before all its steps had settled. */
export type Stop =
  | { readonly _tag: "Failed"; readonly resource: string }
  | { readonly _tag: "TimedOut"; readonly limit: Duration.Duration; readonly progress: Progress }
  | { readonly _tag: "Interrupted" }

/** The state of every resource when the timeout of a run expired. */
export interface Progress {
  readonly done: ReadonlyArray<string>
  readonly inFlight: ReadonlyArray<string>
  readonly notStarted: ReadonlyArray<string>
}

/** The slots of a parent run. An attempt of a nested run needs a slot of both runs. */
export interface OuterSlots {
  readonly limit: number
  /** Whether a slot is granted. If not, this requests one. */
  readonly isThere: () => boolean
  readonly take: () => void
  /** Releases a slot. Returns the slots of the next run further out, of which one is to be released as well. */
  readonly releaseOne: () => OuterSlots | undefined
  /** Tells the parent run that one of its attempts may be able to take a slot. */
  readonly offer: () => void
  /** Releases granted slots for which no attempt of this run waits. */
  readonly giveBack: () => void
  /** As `giveBack`, without `offer`. */
  readonly withdraw: () => void
}

/** An answer of a limiter: permits, or a refusal. */
export interface LimiterAnswer {
  readonly permits: unknown
  readonly refusal: unknown
}

/** The request of a run to one limiter, for the most urgent attempt that waits for it. */
export interface LimiterLine {
  /** Whether the limiter has an answer for this attempt. Sends the request if it was not sent yet. */
  readonly answers: (asker: Asker) => boolean
  readonly take: () => LimiterAnswer
  readonly withdraw: () => void
  readonly reason: Limit
}

/** An attempt that needs permits. */
export interface Asker {
  readonly limit: Limited | undefined
  /** The estimated time from this step to the end of the run, in milliseconds, learned by limiters. */
  readonly remaining: number
}

/** What attempts wait for besides the slots of their run. */
export interface SlotParts {
  readonly outer?: (onGranted: () => void) => OuterSlots
  /** Makes slots for attempts that also need permits. */
  readonly make?: (limit: number, urgency: Int32Array, parts: SlotParts) => unknown
  /** Returns to the asynchronous context of this run when another run has released something on its own stack. */
  readonly async?: OwnContext
}

/** Handles the permits of attempts. */
export interface Permitting {
  /** An attempt that needs no permits has begun. */
  readonly begun: () => void
  /** Provides an attempt with its permits, for runs inside it to borrow. */
  readonly lend: (permits: unknown, self: AnyEffect) => AnyEffect
  readonly end: (permits: unknown, exit: Exit.Exit<unknown, unknown>) => void
  /** The effect of an attempt that the limiter refused. */
  readonly refuse: (limit: Limited, refusal: unknown) => AnyEffect
  /** Runs an effect that is no attempt of a run, such as a refresh, with permits. */
  readonly byHand: (limit: Limited, self: AnyEffect) => AnyEffect
}

/** Runs the attempts of steps. */
export interface Attempting {
  readonly begin: (index: number, step: Step, deps: Dependencies) => AnyEffect
  /** Aborts a step: it is not retried and has no fallback. A load stops. */
  readonly abort: (index: number, cause: Cause.Cause<unknown>) => void
}

/** The facts about a failure besides its error. */
export interface FailureFacts {
  readonly attempts: number
  readonly item: FailedItem | undefined
}

/** A load, or the load of one item of a list, inside its layers. */
export interface LoadPlace {
  readonly index: number
  readonly step: Step
  readonly deps: Dependencies
  readonly failedItem: FailedItem | undefined
  /** The number of attempts, without those that were refused. */
  readonly begun: number
}

/** The owner of a compensation or cleanup: `path` leads from a resource of this run into nested loaders. */
export interface Undone {
  readonly path: ReadonlyArray<string>
  readonly item: number | undefined
  readonly cleanup: boolean
}

/** Reads compensations, cleanups and rewinds. */
export interface UndoSink {
  /** Returns the context in which the compensation runs. */
  readonly started: (of: Undone, context: Context.Context<never>) => Context.Context<never>
  readonly succeeded: (of: Undone) => void
  readonly failed: (of: Undone, cause: Cause.Cause<unknown>) => void
  /** The run rewinds to the resource `to`, because the resource `because` failed. */
  readonly rewound: (keep: Uint8Array, to: string, because: string, pause: Duration.Duration) => void
}

/** A layer as it wraps an effect. */
type Wrap = (self: AnyEffect) => AnyEffect

/** The points at which a run calls its extensions. A hook that wraps an effect gets it as the last argument. */
export interface Hooks {
  /** The run begins, or continues after a rewind. No step has started. */
  started?: (() => void) | undefined
  /** All dependencies of a step are loaded. */
  ready?: ((index: number) => void) | undefined
  /** The exit that a step has from an earlier run: it settles as soon as it is ready, runs nothing, and takes no slot. */
  remembered?: ((index: number) => Exit.Exit<unknown, unknown> | undefined) | undefined
  /** Wraps the whole effect of a step. */
  begin?: ((index: number, self: AnyEffect) => AnyEffect) | undefined
  /** The context in which a step runs. */
  context?: ((index: number, context: Context.Context<never>) => Context.Context<never>) | undefined
  /** The context in which one attempt runs, for steps that can have several. */
  attemptContext?:
    | ((index: number, attempt: number, item: number | undefined, self: AnyEffect) => AnyEffect)
    | undefined
  /** Replaces the cause of a failed step. */
  cause?: ((index: number, cause: Cause.Cause<unknown>) => Cause.Cause<unknown>) | undefined
  /** An effect that has to end before the failure counts. */
  failing?: ((index: number, cause: Cause.Cause<unknown>) => Effect.Effect<void> | undefined) | undefined
  settled?: ((index: number, end: StepEnd) => void) | undefined
  /** A step has settled, and its dependents are notified. `failed` is the failed step because of which it has no value. */
  followed?: ((index: number, failed: number | undefined) => void) | undefined
  /** All consequences of the end of a step are applied. */
  changed?: (() => void) | undefined
  /** Makes a choice, or settles it when the chosen resource is loaded. */
  choose?: ((index: number) => void) | undefined
  /** Whether only choices can want a step and none has wanted it so far. Such a step neither starts nor ends. */
  isUnwanted?: ((index: number) => boolean) | undefined
  /** A step cannot load because another step failed. Returns whether its skip has to wait for a choice. */
  skipping?: ((index: number, failed: number) => boolean) | undefined
  /** Whether the failure of a step reaches a target through the choices made so far. */
  reaches?: ((index: number) => boolean) | undefined
  /** The facts about the failure of a base. */
  failure?: ((base: number, error: unknown) => FailureFacts | undefined) | undefined
  /** The run is about to stop early. Its steps are still running. */
  stopping?: (() => void) | undefined
  stopped?: (() => void) | undefined
  /** No step of this run is in progress any more. A load that rewinds continues with another run. */
  ended?: (() => void) | undefined
  /** Steps that have not started will not start. */
  rest?: (() => void) | undefined
  /** The run, and everything around it, such as undoing, has ended. */
  finished?: (() => void) | undefined
  /** A step or an attempt got its turn. Returns whether the extension keeps track of its slot. */
  turn?: ((turn: SlotTurn) => boolean) | undefined
  /** Releases what a settled step holds. Returns whether it held slots. */
  giveBack?: ((index: number, exit: Exit.Exit<unknown, unknown>) => boolean) | undefined
  /** Wraps one attempt that holds a slot. */
  inSlot?: ((self: AnyEffect) => AnyEffect) | undefined
  /** Wraps the load itself, inside all layers. */
  load?: ((place: LoadPlace, self: AnyEffect) => AnyEffect) | undefined
  /** Wraps effects that may run other loaders. */
  enclose?: ((index: number, item: number | undefined, self: AnyEffect) => AnyEffect) | undefined
  /** Applies a layer to an effect. `isLoad`: whether the layer is the innermost one of an attempt. */
  layer?: ((place: LoadPlace, layer: Layer, isLoad: boolean, wrap: Wrap, self: AnyEffect) => AnyEffect) | undefined
  /** Wraps an attempt that other attempts may follow. */
  retried?: ((index: number, self: AnyEffect) => AnyEffect) | undefined
  /** Wraps all attempts and policies of a step. */
  whole?: ((index: number, self: AnyEffect) => AnyEffect) | undefined
  /** The origin of the requests of a step, for batches that wait for more requests. */
  placeOf?: ((index: number) => HoldPlace) | undefined
  /** A step has made its request, or its nested run has begun. */
  hasCome?: ((index: number, item: number | undefined) => void) | undefined
  /** Rewinds the run to an earlier step. Returns whether that is allowed. */
  rewinding?: ((index: number, cause: Cause.Cause<unknown>, rewind: Rewind) => boolean) | undefined
  /** A list begins. */
  listed?: ((index: number, items: number, limit: number) => void) | undefined
  /** Wraps an item of a list. */
  item?: ((index: number, item: number, self: AnyEffect) => AnyEffect) | undefined
  /** Wraps the wait of a step, or of an item, for an event outside of the process. Meanwhile the step is idle. */
  dormant?: ((index: number, item: number | undefined, self: AnyEffect) => AnyEffect) | undefined
  /** Wraps one compensation or cleanup. */
  wrapUndo?: ((of: Undone, self: AnyEffect) => AnyEffect) | undefined
  /** Reads compensations, cleanups and rewinds. */
  undone?: UndoSink | undefined
  fact?: Sink | undefined
  attempts?: Attempting | undefined
  slots?: SlotParts | undefined
  permits?: Permitting | undefined
}

/** A turn of a step that is about to begin, or of an attempt within its step. */
export interface SlotTurn {
  readonly index: number
  readonly limit: Limited | undefined
  readonly answer: LimiterAnswer | undefined
}

/**
 * Plugs into runs. `open` gets the `RunView`, and an execution whose `fiber` is the caller's; extensions of core read more of
 * both.
 */
export interface Extension {
  /** Computes the `data` of a program, once for all its runs. Without it, `data` is `undefined`. */
  readonly prepare?: (program: never) => unknown
  /** Returns for each step whether it runs only if a choice wants it or a dependent of it. Choices bring it. */
  readonly optional?: (steps: ReadonlyArray<Step>, isTarget: Uint8Array) => Uint8Array
  /** Reports what is wrong with a program. */
  readonly check?: (program: never) => ReadonlyArray<GraphIssue>
  /** Returns the hooks for a run; `undefined` if this run needs none. */
  readonly open: (run: never, data: never, execution: never) => Hooks | undefined
}

/** An extension of a program, with its prepared data. */
export interface Prepared {
  readonly extension: Extension
  readonly data: unknown
}
