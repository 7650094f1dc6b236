/**
 * One run of a loader, from its inputs to what the caller gets.
 *
 * A run is over when nothing of it runs any more, and its result is known then. An extension that is around it can go on:
 * what a failed run did may have to be undone.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as RunLocal from "../base/RunLocal.ts"
import type { Program } from "../compile/Program.ts"
import type { Extension, Hooks, Prepared, SlotParts } from "../model/Extension.ts"
import type { AnyEffect } from "../model/Node.ts"
import { noHooks, together } from "./Hooks.ts"
import { InputError } from "./InputError.ts"
import { LoadTimeout } from "./LoadTimeout.ts"
import { Run } from "./Run.ts"
import { schedule } from "./Scheduler.ts"
import { Slots } from "./Slots.ts"

export type AnyExit = Exit.Exit<unknown, unknown>

/** What is run: a compiled graph, and how. */
export interface Runnable {
  readonly program: Program
  readonly limit: number | undefined
  readonly timeout: Duration.Duration | undefined
  readonly inBatches: boolean
  /** What the loader itself plugs in, beside its program. */
  readonly extensions: ReadonlyArray<Extension>
}

/** How it is run this time. */
export interface Options {
  readonly inputs: unknown
  /** The values that are given with the loader, by their keys. */
  readonly values: ReadonlyMap<string, unknown>
  readonly failFast: boolean
  /** Whether the caller keeps what the run did, to undo it later: then nothing else does. */
  readonly reversible?: boolean
  /** What the caller plugs in. */
  readonly extensions?: ReadonlyArray<Extension>
  /** What the caller gets of a run that was not interrupted; `exit` is what a load gives. */
  readonly conclude: (run: Run, exit: AnyExit, execution: Execution) => Effect.Effect<unknown, unknown>
}

const prefix = "effect-loader/Extension/"

/** Whether a context brings any extension: only then it is searched. */
const Extended: Context.Reference<boolean> = /* @__PURE__ */ Context.Reference<boolean>("effect-loader/Extended", {
  defaultValue: () => false
})

/** A context that brings an extension for the runs in it. Each has a key of its own, so that layers merge in any order. */
export const withExtension = (
  context: Context.Context<never>,
  name: string,
  extension: Extension
): Context.Context<never> =>
  Context.add(Context.add(context, Extended, true), Context.Service<never, Extension>(prefix + name), extension)

/** All that a context brings under keys with a prefix. */
export const broughtBy = <A>({ mapUnsafe }: Context.Context<never>, keyPrefix: string): ReadonlyArray<A> => {
  const found: Array<A> = []
  mapUnsafe.forEach((service, key) => {
    if (key.startsWith(keyPrefix)) found.push(service)
  })
  return found
}

/** The extensions that a step brings for the runs inside it. */
const StepExtensions = /* @__PURE__ */ RunLocal.makeOfStep<ReadonlyArray<Extension>>("Extensions")

/** An effect that brings extensions for the runs inside it. */
export const bringing = (extensions: ReadonlyArray<Extension>, self: AnyEffect): AnyEffect =>
  RunLocal.updateOfStep(self, StepExtensions, (others = none) => [...others, ...extensions])

const none: ReadonlyArray<never> = []

/** Causes as one, the first in time first. */
export const combine = (causes: ReadonlyArray<Cause.Cause<unknown>>): Cause.Cause<unknown> =>
  causes.length === 1 ? causes[0]! : Cause.fromReasons(causes.flatMap((cause) => cause.reasons))

const timedOut = (run: Run): ReadonlyArray<Cause.Cause<unknown>> => {
  if (run.stopped?._tag !== "TimedOut") return []
  const { limit, progress } = run.stopped
  return [Cause.fail(new LoadTimeout({ loader: run.program.name, limit, ...progress }))]
}

/** What the run failed with, in the order of time. */
export const causesOf = (run: Run): ReadonlyArray<Cause.Cause<unknown>> => [...timedOut(run), ...run.failures]

/** What a load comes to when nothing of it runs any more. */
export const exitOf = (run: Run): AnyExit =>
  run.stopped === undefined ? Exit.succeed(run.result()) : Exit.failCause(combine(causesOf(run)))

/**
 * What the interruption of a run adds to it: what failed while it ended. A finalizer has no errors by its type, but the
 * cause that it joins is the load's, and these are the load's errors.
 */
const concludeInterruption = (run: Run): Effect.Effect<void> => {
  run.finish()
  return run.failures.length === 0 ? Exit.void : Exit.failCause(combine(run.failures) as Cause.Cause<never>)
}

/** What plugs into a run, and what goes on around it. */
export interface RunHooks extends Hooks {
  /** All of a run. Without it, a run is scheduled, and concluded. */
  around?: ((first: Run) => Effect.Effect<unknown, unknown>) | undefined
}

const isGiven = (inputs: object, name: string): boolean =>
  Object.hasOwn(inputs, name) || (name in inputs && !(name in Object.prototype))

/** Puts inputs and given values in their places, or says which inputs are missing. */
export const giveInputs = (
  { program, values }: Run,
  inputs: unknown,
  givenValues: ReadonlyMap<string, unknown>
): InputError | undefined => {
  const { given: substitutes, inputs: wanted, name: loader, steps } = program
  for (const i of substitutes) values[i] = givenValues.get(steps[i]!.given!.key!)
  const given = typeof inputs === "object" && inputs !== null ? (inputs as Record<string, unknown>) : {}
  const missing: Array<string> = []
  for (const i of wanted) {
    const { name } = steps[i]!
    if (isGiven(given, name)) values[i] = given[name]
    else missing.push(name)
  }
  return missing.length === 0 ? undefined : new InputError({ loader, missing })
}

/** One of each: that of the program, which has prepared it, or the first. */
const distinct = (prepared: ReadonlyArray<Prepared>, others: ReadonlyArray<Extension>): ReadonlyArray<Prepared> => {
  const known = new Set(prepared.map(({ extension }) => extension))
  const fresh = Array.from(new Set(others)).filter((extension) => !known.has(extension))
  return [...prepared, ...fresh.map((extension) => ({ extension, data: undefined }))]
}

export class Execution {
  readonly runnable: Runnable
  readonly options: Options
  readonly fiber: Fiber.Fiber<unknown, unknown>
  /** The context of the caller, outside of any step. */
  readonly context: Context.Context<never>
  private readonly extensions: ReadonlyArray<Prepared>
  private states: Map<Extension, unknown> | undefined = undefined

  constructor(runnable: Runnable, options: Options, fiber: Fiber.Fiber<unknown, unknown>) {
    this.runnable = runnable
    this.options = options
    this.fiber = fiber
    this.context = RunLocal.outsideStep(fiber.context)
    const { extensions } = runnable.program
    const ofContext = fiber.getRef(Extended) ? broughtBy<Extension>(fiber.context, prefix) : none
    const ofStep = this.isInside ? (fiber.getRef(StepExtensions) ?? none) : none
    const ofRun = options.extensions ?? none
    this.extensions =
      runnable.extensions.length + ofRun.length + ofContext.length + ofStep.length === 0
        ? extensions
        : distinct(extensions, [...runnable.extensions, ...ofRun, ...ofContext, ...ofStep])
  }

  /** Whether it may be inside a step of another run. Most are not, and have nothing to look for. */
  get isInside(): boolean {
    return this.context !== this.fiber.context
  }

  /** What an extension keeps for all runs that one load takes. */
  stateOf<A>(extension: Extension, make: () => A): A {
    this.states ??= new Map()
    if (!this.states.has(extension)) this.states.set(extension, make())
    return this.states.get(extension) as A
  }

  /** A run of this load, with all extensions plugged in. */
  run(): Run {
    const { limit, program } = this.runnable
    const run = new Run(program, this.context, this.options.failFast)
    const hooks = this.extensions.length === 0 ? noHooks : together(this.open(run))
    run.plug(hooks, limit === undefined && hooks.slots === undefined ? undefined : this.slots(hooks.slots))
    return run
  }

  private open(run: Run): ReadonlyArray<Hooks> {
    return this.extensions.flatMap(
      ({ data, extension }) => extension.open(run as never, data as never, this as never) ?? none
    )
  }

  private slots(parts: SlotParts = {}): Slots {
    const { limit = Infinity, program } = this.runnable
    return parts.make === undefined
      ? new Slots(limit, program.urgency, parts)
      : (parts.make(limit, program.urgency, parts) as Slots)
  }

  /** Schedules a run; `conclude` says what the whole comes to. */
  schedule(
    run: Run,
    timeout: Duration.Duration | undefined,
    conclude: (run: Run) => Effect.Effect<unknown, unknown>,
    onInterrupted: (run: Run) => Effect.Effect<void>
  ): Effect.Effect<unknown, unknown> {
    return schedule(run, this.fiber, { inBatches: this.runnable.inBatches, timeout }, conclude, onInterrupted)
  }

  giveInputs(run: Run): ReturnType<typeof giveInputs> {
    return giveInputs(run, this.options.inputs, this.options.values)
  }

  whole(): Effect.Effect<unknown, unknown> {
    const run = this.run()
    const unusable = this.giveInputs(run)
    if (unusable !== undefined) return Exit.die(unusable)
    const { around } = run.hooks as RunHooks
    if (around !== undefined) return around(run)
    const conclude = (run: Run): Effect.Effect<unknown, unknown> => {
      run.finish()
      return this.options.conclude(run, exitOf(run), this)
    }
    return this.schedule(run, this.runnable.timeout, conclude, concludeInterruption)
  }
}

/** Runs a loader once. */
export const execute = (runnable: Runnable, options: Options): Effect.Effect<unknown, unknown> =>
  Effect.withFiber((fiber) => new Execution(runnable, options, fiber).whole())
