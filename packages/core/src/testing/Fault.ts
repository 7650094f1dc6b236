/**
 * Faults in the load of a resource, injected into a loader for a test. The resource keeps its policies, so a test sees how its
 * retries, timeouts and fallbacks handle the fault.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { dual } from "effect/Function"
import { doesWork, get as getFromPlan } from "../compile/Plan.ts"
import type { Own, Resource } from "../model/Resource.ts"
import { planOf } from "../compile/Plan.ts"
import { type AnyLoader, compiledOf, type Loader } from "../loader/Compiled.ts"
import { changeLoads } from "./Loads.ts"
import { type Options, type Trial, tryOut } from "./Trial.ts"

/**
 * When a fault occurs.
 *
 * - `before`: in place of the load, or before it;
 * - `after`: after the load has succeeded;
 * - `closing`: in a finalizer: of the attempt's scope, or of the load itself if the caller has no scope.
 *
 * @since 0.1.0
 * @category models
 */
export type FaultPhase = "before" | "after" | "closing"

/**
 * A fault of a load.
 *
 * - `label`: a description: `fails before loading`.
 * - `kind`, `phase`: the same for programs.
 * - `times`: the number of first attempts that have the fault; `Infinity` for all.
 *
 * @since 0.1.0
 * @category models
 */
export interface Fault<out E = never> {
  readonly label: string
  readonly kind: "fail" | "die" | "hang" | "interrupt" | "delay"
  readonly phase: FaultPhase
  readonly times: number
  readonly effect: Effect.Effect<void, E>
}

/**
 * When, and how often, a fault occurs.
 *
 * - `phase`: see {@link FaultPhase}. Default: `"before"`.
 * - `times`: the number of first attempts that have the fault. Default: all of them.
 *
 * @since 0.1.0
 * @category models
 */
export interface FaultOptions<P extends FaultPhase = "before" | "after"> {
  readonly phase?: P
  readonly times?: number
}

const verbs: Record<Fault["kind"], string> = {
  fail: "fails",
  die: "dies",
  hang: "hangs",
  interrupt: "is interrupted",
  delay: "takes long"
}

const phases: Record<FaultPhase, string> = { before: "before loading", after: "once loaded", closing: "while closing" }

const timesText = (times: number): string => {
  if (times === Infinity) return ""
  return times === 1 ? ", once" : `, ${times} times`
}

const make = <E>(
  kind: Fault["kind"],
  effect: Effect.Effect<void, E>,
  { phase = "before", times = Infinity }: FaultOptions<FaultPhase> = {},
  verb: string = verbs[kind]
): Fault<E> => ({ label: `${verb} ${phases[phase]}${timesText(times)}`, kind, phase, times, effect })

/**
 * Fails with a typed error.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 * import { Fault, RunLog } from "effect-loader/testing"
 *
 * const org = Resource.make("org", { load: (): Effect.Effect<string, "down"> => Effect.succeed("acme") })
 * const page = Loader.make({ org }).pipe(Fault.inject(org, Fault.fail("down" as const)))
 *
 * const { events } = Effect.runSync(RunLog.record(Loader.settle(page)))
 * console.log(RunLog.outcome(events, "org")?._tag) // Failed
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const fail = <E>(error: E, options?: FaultOptions): Fault<E> => make("fail", Effect.fail(error), options)

/**
 * Dies with a defect: by default with an error that says that it is a fault.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 * import { Fault, RunLog } from "effect-loader/testing"
 *
 * const org = Resource.make("org", { load: (): Effect.Effect<string, "down"> => Effect.succeed("acme") })
 * const page = Loader.make({ org }).pipe(Fault.inject(org, Fault.die(new Error("a bug"), { phase: "after" })))
 *
 * const { events } = Effect.runSync(RunLog.record(Loader.settle(page)))
 * console.log(RunLog.outcome(events, "org")?._tag) // Died
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const die = (defect: unknown = new Error("a fault"), options?: FaultOptions<FaultPhase>): Fault =>
  make("die", Effect.die(defect), options)

/**
 * Never ends by itself: only a time limit or an interruption ends it.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Policy, Resource } from "effect-loader"
 * import { Fault, RunLog, VirtualTime } from "effect-loader/testing"
 *
 * const org = Resource.make("org", { load: () => Effect.succeed("acme") }).pipe(
 *   Policy.timeout("1 second"),
 *   Policy.retry({ times: 2 })
 * )
 * const page = Loader.make({ org }).pipe(Fault.inject(org, Fault.hang({ times: 1 })))
 *
 * const program = VirtualTime.run(RunLog.record(Loader.load(page)))
 * Effect.runPromise(program).then(({ events }) => console.log(RunLog.attempts(events, "org"))) // 2
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const hang = (options?: FaultOptions): Fault => make("hang", Effect.never, options)

/**
 * Interrupts itself, like a load whose client was closed.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 * import { Fault, RunLog } from "effect-loader/testing"
 *
 * const org = Resource.make("org", { load: (): Effect.Effect<string, "down"> => Effect.succeed("acme") })
 * const page = Loader.make({ org }).pipe(Fault.inject(org, Fault.interrupt()))
 *
 * const { events } = Effect.runSync(RunLog.record(Loader.settle(page)))
 * console.log(RunLog.outcome(events, "org")?._tag) // Interrupted
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const interrupt = (options?: FaultOptions): Fault => make("interrupt", Effect.interrupt, options)

/**
 * Takes longer by a duration.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Policy, Resource } from "effect-loader"
 * import { Fault, RunLog, VirtualTime } from "effect-loader/testing"
 *
 * const org = Resource.make("org", { load: () => Effect.succeed("acme") }).pipe(
 *   Policy.timeout("1 second"),
 *   Policy.retry({ times: 2 })
 * )
 * const page = Loader.make({ org }).pipe(Fault.inject(org, Fault.delay("10 seconds")))
 *
 * const program = VirtualTime.run(RunLog.record(Loader.load(page)))
 * Effect.runPromise(program).then(({ events }) => console.log(RunLog.attempts(events, "org"))) // 3
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const delay = (duration: Duration.Input, options?: FaultOptions<FaultPhase>): Fault => {
  const longer = Duration.fromInputUnsafe(duration)
  return make("delay", Effect.sleep(longer), options, `takes ${Duration.format(longer)} longer`)
}

const strike = <A, E, R, E2>(self: Effect.Effect<A, E, R>, fault: Fault<E2>): Effect.Effect<A, E | E2, R> => {
  switch (fault.phase) {
    case "before":
      return Effect.andThen(fault.effect, self)
    case "after":
      return Effect.tap(self, () => fault.effect)
    case "closing":
      // Only faults without typed errors have this phase.
      return closing(self, fault.effect as Effect.Effect<void>)
  }
}

const closing = <A, E, R>(self: Effect.Effect<A, E, R>, finalizer: Effect.Effect<void>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Effect.serviceOption(Scope.Scope), (scope) =>
    Option.isSome(scope)
      ? Effect.andThen(Scope.addFinalizer(scope.value, finalizer), self)
      : Effect.ensuring(self, finalizer)
  )

const injectInto = <L extends AnyLoader>(self: L, resource: string, fault: Fault<unknown>): L => {
  const plan = planOf(compiledOf(self))
  const found = getFromPlan(plan, resource)
  if (found === undefined || !doesWork(found)) {
    throw new Cause.IllegalArgumentError(`Fault.inject: loader "${plan.loader}" does not load "${resource}"`)
  }
  let attempts = 0
  return changeLoads(self, (name, load) =>
    name === resource ? Effect.suspend(() => (attempts++ < fault.times ? strike(load, fault) : load)) : load
  )
}

/**
 * The same loader, with a fault in the load of one resource. The fault is inside the policies of the resource, which handle it.
 *
 * A fault of the first attempts counts the attempts of all runs of the loader: inject a new one for each run.
 *
 * Throws if the loader does not load the resource.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Policy, Resource } from "effect-loader"
 * import { Fault, RunLog } from "effect-loader/testing"
 *
 * const org = Resource.make("org", { load: () => Effect.succeed("acme") }).pipe(Policy.retry({ times: 2 }))
 * const page = Loader.make({ org }).pipe(Fault.inject(org, Fault.fail("busy", { times: 2 })))
 *
 * const program = RunLog.record(Loader.load(page))
 * Effect.runPromise(program).then(({ events }) => console.log(RunLog.attempts(events, "org"))) // 3
 * ```
 *
 * @since 0.1.0
 * @category injecting
 */
export const inject: {
  <Name extends string, RA, RE, RR, RIn, FE>(
    resource: Resource<Name, RA, RE, RR, RIn>,
    fault: Fault<FE>
  ): <A, E, R, In, T>(self: Loader<A, E, R, In, T>) => Loader<A, E | Own<Name, FE>, R, In, T>
  <A, E, R, In, T, Name extends string, RA, RE, RR, RIn, FE>(
    self: Loader<A, E, R, In, T>,
    resource: Resource<Name, RA, RE, RR, RIn>,
    fault: Fault<FE>
  ): Loader<A, E | Own<Name, FE>, R, In, T>
} = /* @__PURE__ */ dual(
  3,
  (self: AnyLoader, resource: { readonly name: string }, fault: Fault<unknown>): never =>
    injectInto(self, resource.name, fault) as never
)

/**
 * The errors that resources can fail with, by name.
 *
 * @since 0.1.0
 * @category type-level
 */
export type Errors<E> = {
  readonly [N in E extends { readonly resource: infer Name extends string } ? Name : never]?: Extract<
    E,
    { readonly resource: N }
  > extends { readonly error: infer X }
    ? X
    : never
}

/**
 * One run of a program with a fault in one resource.
 *
 * @since 0.1.0
 * @category models
 */
export interface FaultTrial<out A, out E> extends Trial<A, E> {
  readonly resource: string
  readonly fault: Fault<unknown>
}

/**
 * The faults, and the check of each run.
 *
 * - `errors`: the errors that resources fail with, by name. A resource without an error gets the other faults only.
 * - `takes`: the additional time of a slow load. Default: a minute.
 * - `faults`: the faults of a resource, instead of the default ones.
 *
 * @since 0.1.0
 * @category models
 */
export interface EveryOptions<A, E, LE, R> extends Options<FaultTrial<A, E>, Fault<unknown>, R> {
  readonly errors?: Errors<LE>
  readonly takes?: Duration.Input
  readonly faults?: (resource: string) => ReadonlyArray<Fault<unknown>>
}

const failures = (error: unknown): ReadonlyArray<Fault<unknown>> => [
  fail(error),
  fail(error, { phase: "after" }),
  fail(error, { times: 1 })
]

const others = (longer: Duration.Input): ReadonlyArray<Fault> => [
  die(),
  die(undefined, { phase: "after" }),
  die(undefined, { phase: "closing" }),
  hang(),
  hang({ phase: "after" }),
  interrupt(),
  interrupt({ phase: "after" }),
  delay(longer),
  delay(longer, { phase: "after" }),
  delay(longer, { phase: "closing" })
]

const faultsOf = (
  resource: string,
  errors: Readonly<Record<string, unknown>>,
  longer: Duration.Input
): ReadonlyArray<Fault<unknown>> => [
  ...(Object.hasOwn(errors, resource) ? failures(errors[resource]) : []),
  ...others(longer)
]

/**
 * Runs a program once for each resource that its loader loads, and for each fault of that resource.
 *
 * - `self`: makes the program from the loader with the fault.
 * - `options`: see {@link EveryOptions}; `check` checks each run.
 *
 * The faults: the load fails with its typed error before it loads, after it has loaded, or only in the first attempt; it dies,
 * hangs, is interrupted or is slow, before and after; and it dies or is slow in a finalizer. Each run has a virtual clock and a
 * scope of its own. A fiber that outlives a run, or a ledger that does not balance, is a defect.
 *
 * Returns the number of runs.
 *
 * @example
 * ```ts
 * import { Effect, Exit } from "effect"
 * import { Loader, Resource } from "effect-loader"
 * import { Fault } from "effect-loader/testing"
 *
 * const findUser = (id: number): Effect.Effect<string, "down"> => Effect.succeed(`user ${id}`)
 * const user = Resource.make("user", { load: () => findUser(7) })
 * const page = Loader.make({ user: user.pipe(Resource.option) }, { timeout: "2 seconds" })
 *
 * // An optional user never fails the page, whenever it fails; other faults do.
 * const runs = Fault.atEveryResource(page, (faulty) => Loader.load(faulty), {
 *   check: ({ exit, fault }) => console.assert(Exit.isSuccess(exit) === (fault.kind === "fail"), fault.label),
 *   faults: () => [Fault.fail("down"), Fault.fail("down", { times: 1 }), Fault.die(), Fault.hang()]
 * })
 * Effect.runPromise(runs).then((times) => console.log(times)) // 4
 * ```
 *
 * @since 0.1.0
 * @category injecting
 */
export const atEveryResource = <LA, LE, LR, In, T, A, E, R, R2 = never>(
  loader: Loader<LA, LE, LR, In, T>,
  self: (faulty: Loader<LA, LE, LR, In, T>) => Effect.Effect<A, E, R>,
  options: EveryOptions<A, E, LE, R2> = {}
): Effect.Effect<number, never, Exclude<R, Scope.Scope> | R2> =>
  Effect.gen(function* () {
    const { errors = {}, takes: longer = "1 minute" } = options
    const { faults = (resource) => faultsOf(resource, errors, longer) } = options
    let runs = 0
    for (const { name: resource } of planOf(compiledOf(loader)).resources.filter(doesWork)) {
      for (const fault of faults(resource)) {
        yield* tryOut(
          Effect.suspend(() => self(injectInto(loader, resource, fault))),
          {
            options,
            step: fault,
            name: () => `"${resource}" ${fault.label}`,
            toTrial: (trial) => ({ ...trial, resource, fault })
          }
        )
        runs++
      }
    }
    return runs
  })
