/**
 * What plugs into a run. A step brings the extensions that it needs, and so does the context of the caller, such as an
 * observer. A program opens each of them once per run; without any, a run has no hooks and does nothing about them.
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
 * - `DependencyFailed`: something it depends on failed, died or was interrupted; `resource` is that one, however far up.
 * - `NotChosen`: only a choice could have wanted it, which chose something else, or never could; `resource` is the choice.
 * - `RunFailed`: the run had failed before its turn came, and nothing new starts then; `resource` is what failed.
 * - `RunTimedOut`, `RunInterrupted`: the run was over before its turn came.
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
 * What a resource has to wait for when everything that it depends on is there.
 *
 * - `Slot`: one of the `concurrency` places of its run, all taken.
 * - `Permit`: permits of a limiter, all in use; `limit` is how many can be at that moment.
 * - `FairShare`: permits of a limiter for which others wait as well, so that shares decide who is next.
 *
 * @since 0.1.0
 * @category models
 */
export type Limit =
  | { readonly _tag: "Slot"; readonly concurrency: number }
  | { readonly _tag: "Permit" | "FairShare"; readonly limiter: string; readonly limit: number }

/** What features tell of a step, or of an item of a list. */
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

/** Why a run stopped before everything was settled. */
export type Stop =
  | { readonly _tag: "Failed"; readonly resource: string }
  | { readonly _tag: "TimedOut"; readonly limit: Duration.Duration; readonly progress: Progress }
  | { readonly _tag: "Interrupted" }

/** What had become of every resource when a run's time was over. */
export interface Progress {
  readonly done: ReadonlyArray<string>
  readonly inFlight: ReadonlyArray<string>
  readonly notStarted: ReadonlyArray<string>
}

/** The slots of a run around, which a run inside needs for its attempts beside its own. */
export interface OuterSlots {
  readonly limit: number
  /** Whether there is a slot to use. Where there is none, one is asked for. */
  readonly isThere: () => boolean
  readonly take: () => void
  /** Gives a slot back, and says whose further out is to be given back, too. */
  readonly releaseOne: () => OuterSlots | undefined
  /** Says that an attempt of the run around may be able to take a slot. */
  readonly offer: () => void
  /** Gives back what no attempt here waits for. */
  readonly giveBack: () => void
  /** As `giveBack`, but without an offer yet. */
  readonly withdraw: () => void
}

/** An answer of a limiter: permits, or a refusal. */
export interface LimiterAnswer {
  readonly permits: unknown
  readonly refusal: unknown
}

/** What a run has asked of one limiter, for the most urgent of the attempts that wait for it. */
export interface LimiterLine<Asker> {
  /** Whether the limiter has an answer for this attempt, for which it is asked if that was not so yet. */
  readonly answers: (asker: Asker) => boolean
  readonly take: () => LimiterAnswer
  readonly withdraw: () => void
  readonly reason: Limit
}

/** An attempt that needs permits. */
export interface Asker {
  readonly limit: Limited | undefined
  /** How long what is left of the run takes from here, as far as limiters know, in milliseconds. */
  readonly remaining: number
}

/** What else attempts wait for, beside slots of the run. */
export interface SlotParts {
  readonly outer?: (onGranted: () => void) => OuterSlots
  /** The slots, where attempts need permits, too. */
  readonly make?: (limit: number, urgency: Int32Array, parts: SlotParts) => unknown
  /** Brings a run back to its own asynchronous context: another run gives things back in its own. */
  readonly async?: OwnContext
}

/** What is done with the permits of attempts. */
export interface Permitting {
  /** An attempt of the run has begun, which needed no permits. */
  readonly begun: () => void
  /** An attempt with the permits that it was given. */
  readonly lend: (permits: unknown, self: AnyEffect) => AnyEffect
  readonly end: (permits: unknown, exit: Exit.Exit<unknown, unknown>) => void
  /** What an attempt comes to that was refused. */
  readonly refuse: (limit: Limited, refusal: unknown) => AnyEffect
  /** Runs an effect, which is no attempt of the run, with permits. */
  readonly byHand: (limit: Limited, self: AnyEffect) => AnyEffect
}

/** Runs the attempts of steps. */
export interface Attempting {
  readonly begin: (index: number, step: Step, deps: Dependencies) => AnyEffect
  /** A step gives up for all: nothing tries it again or takes its place, and in a load nothing else goes on either. */
  readonly abort: (index: number, cause: Cause.Cause<unknown>) => void
}

/** What is known of a failure, beside its error. */
export interface FailureFacts {
  readonly attempts: number
  readonly item: FailedItem | undefined
}

/** A load, or one item of a list, in its layers. */
export interface LoadPlace {
  readonly index: number
  readonly step: Step
  readonly deps: Dependencies
  readonly failedItem: FailedItem | undefined
  /** How many of its attempts were not refused. */
  readonly begun: number
}

/** What is undone: whose, from the resource of this run inwards. */
export interface Undone {
  readonly path: ReadonlyArray<string>
  readonly item: number | undefined
  readonly cleanup: boolean
}

/** Reads what is undone. */
export interface UndoSink {
  /** Gives the context in which it is undone. */
  readonly started: (of: Undone, context: Context.Context<never>) => Context.Context<never>
  readonly succeeded: (of: Undone) => void
  readonly failed: (of: Undone, cause: Cause.Cause<unknown>) => void
  /** The run is taken back to a resource, because of another one. */
  readonly rewound: (keep: Uint8Array, to: string, because: string, pause: Duration.Duration) => void
}

/** A layer as it wraps an effect. */
type Wrap = (self: AnyEffect) => AnyEffect

/** All that a run asks or tells its extensions. Whatever wraps an effect gets it as the last argument. */
export interface Hooks {
  /** The run begins, or goes on from an earlier one: nothing of it has started. */
  started?: (() => void) | undefined
  /** All that a step waits for is there. */
  ready?: ((index: number) => void) | undefined
  /** A value that the step has already: it then runs nothing. */
  remembered?: ((index: number) => Exit.Exit<unknown, unknown> | undefined) | undefined
  /** Around all that a step does. */
  begin?: ((index: number, self: AnyEffect) => AnyEffect) | undefined
  /** The context in which a step runs. */
  context?: ((index: number, context: Context.Context<never>) => Context.Context<never>) | undefined
  /** The same for one attempt, where there can be several. */
  attemptContext?:
    | ((index: number, attempt: number, item: number | undefined, self: AnyEffect) => AnyEffect)
    | undefined
  /** What a step that failed fails with. */
  cause?: ((index: number, cause: Cause.Cause<unknown>) => Cause.Cause<unknown>) | undefined
  /** Holds a failure back until this effect has ended. */
  failing?: ((index: number, cause: Cause.Cause<unknown>) => Effect.Effect<void> | undefined) | undefined
  settled?: ((index: number, end: StepEnd) => void) | undefined
  /** A step has settled, and its dependents know: `failed` is the step because of which it has no value. */
  followed?: ((index: number, failed: number | undefined) => void) | undefined
  /** Everything that follows from the end of a step is known. */
  changed?: (() => void) | undefined
  /** Makes a choice; or, when what was chosen is there, settles it. */
  choose?: ((index: number) => void) | undefined
  /** Whether only choices can want a step, and none has: then it neither starts nor ends. */
  isUnwanted?: ((index: number) => boolean) | undefined
  /** A step cannot be loaded because of another one. Whether it is too early to say so. */
  skipping?: ((index: number, failed: number) => boolean) | undefined
  /** Whether the failure of a step reaches a target by what has been chosen so far. */
  reaches?: ((index: number) => boolean) | undefined
  /** What is known of the failure of a base. */
  failure?: ((base: number, error: unknown) => FailureFacts | undefined) | undefined
  /** The run ends early: nothing of it has been stopped yet. */
  stopping?: (() => void) | undefined
  stopped?: (() => void) | undefined
  /** No step of this run is in progress any more. A load that rewinds continues with another run. */
  ended?: (() => void) | undefined
  /** Nothing of the run that has not been started will be. */
  rest?: (() => void) | undefined
  /** The run is over, and so is what follows a run. */
  finished?: (() => void) | undefined
  /** A step, or a wait of its attempts, was given its turn. Whether its slot is taken care of. */
  turn?: ((turn: SlotTurn) => boolean) | undefined
  /** Gives back what a step has that has settled. Whether there were any slots. */
  giveBack?: ((index: number, exit: Exit.Exit<unknown, unknown>) => boolean) | undefined
  /** Around one attempt that holds a slot. */
  inSlot?: ((self: AnyEffect) => AnyEffect) | undefined
  /** Around what loads. */
  load?: ((place: LoadPlace, self: AnyEffect) => AnyEffect) | undefined
  /** Around what may run other loaders. */
  enclose?: ((index: number, item: number | undefined, self: AnyEffect) => AnyEffect) | undefined
  /** A layer around an effect, where that is not for the layer to say. `isLoad`: whether it is within the load. */
  layer?: ((place: LoadPlace, layer: Layer, isLoad: boolean, wrap: Wrap, self: AnyEffect) => AnyEffect) | undefined
  /** Around an attempt that others may follow. */
  retried?: ((index: number, self: AnyEffect) => AnyEffect) | undefined
  /** Around all attempts of a step, and its policies. */
  whole?: ((index: number, self: AnyEffect) => AnyEffect) | undefined
  /** Where the requests of a step come from, for batches that are held for more of them. */
  placeOf?: ((index: number) => HoldPlace) | undefined
  /** A request has come to its resolver, or its run inside has begun. */
  hasCome?: ((index: number, item: number | undefined) => void) | undefined
  /** Takes the run back to an earlier step, and says whether it may. */
  rewinding?: ((index: number, cause: Cause.Cause<unknown>, rewind: Rewind) => boolean) | undefined
  /** A list begins. */
  listed?: ((index: number, items: number, limit: number) => void) | undefined
  /** Around an item of a list. */
  item?: ((index: number, item: number, self: AnyEffect) => AnyEffect) | undefined
  /** Around a wait of a step, or of an item, for something outside of the process: meanwhile it does nothing. */
  dormant?: ((index: number, item: number | undefined, self: AnyEffect) => AnyEffect) | undefined
  /** Around one compensation, or cleanup. */
  wrapUndo?: ((of: Undone, self: AnyEffect) => AnyEffect) | undefined
  /** Reads what is undone. */
  undone?: UndoSink | undefined
  fact?: Sink | undefined
  attempts?: Attempting | undefined
  slots?: SlotParts | undefined
  permits?: Permitting | undefined
}

/** What has been given a turn: a step that has yet to begin, or an attempt in the middle of its step. */
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
  /** Computes what runs of a program need, once. Without it, `data` is `undefined`. */
  readonly prepare?: (program: never) => unknown
  /** Of each step, whether it runs only if a choice wants it, or something that a choice wants: brought by choices. */
  readonly optional?: (steps: ReadonlyArray<Step>, isTarget: Uint8Array) => Uint8Array
  /** What is wrong with a program. */
  readonly check?: (program: never) => ReadonlyArray<GraphIssue>
  /** Opens it for a run; `undefined` where it has nothing to do. */
  readonly open: (run: never, data: never, execution: never) => Hooks | undefined
}

/** An extension in a program. */
export interface Prepared {
  readonly extension: Extension
  readonly data: unknown
}
