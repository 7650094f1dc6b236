/**
 * Interruption at every step: tests that a program leaves nothing behind, wherever it is interrupted.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import type { AnyLoader } from "../loader/Compiled.ts"
import { observe } from "../watch/Observer.ts"
import type { RunEvent } from "../watch/RunEvent.ts"
import { changeLoads } from "./Loads.ts"
import { type Meanwhile, type Options, type Trial, tryOut } from "./Trial.ts"

/**
 * Makes a loader whose loads report each entry, which then is a step.
 *
 * @since 0.1.0
 * @category models
 */
export type Probe = <L extends AnyLoader>(loader: L) => L

const unprobed: Probe = (loader) => loader

/** Makes the program to interrupt. It is called for each run, so that each run starts from a clean state. */
export type ProbedProgram<A, E, R> = (probed: Probe) => Effect.Effect<A, E, R>

export type Checked<A, E, R> = Options<Trial<A, E>, number, R>

/** Runs an effect in a fiber of its own, with a function that interrupts that fiber. */
const interruptible = <A, E, R>(self: (interrupt: () => void) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) => Effect.suspend(() => self(() => fiber.interruptUnsafe())))

const eventText = (event: RunEvent | undefined): string =>
  event === undefined ? "" : ` (${event._tag}${"resource" in event ? ` ${event.resource}` : ""})`

/**
 * Runs a program repeatedly: interrupted at its first event, at its second, and so on until a run ends by itself.
 *
 * - `self`: makes the program for each run. Each run has a scope of its own.
 * - `options`: see {@link Options}; `check` gets the number of the event.
 *
 * A fiber that outlives a run, or a ledger that does not balance, is a defect that names the event.
 *
 * Returns the number of runs.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 * import { Interruption } from "effect-loader/testing"
 *
 * let open = 0
 * const connection = Resource.make("connection", {
 *   load: () => Effect.acquireRelease(Effect.sync(() => open++), () => Effect.sync(() => open--))
 * })
 * const program = Loader.load(Loader.make({ connection }))
 *
 * const runs = Interruption.atEveryEvent(() => program, { check: () => console.assert(open === 0) })
 * Effect.runPromise(runs).then((times) => console.log(times > 1)) // true
 * ```
 *
 * @since 0.1.0
 * @category interrupting
 */
export const atEveryEvent = <A, E, R, R2 = never>(
  self: ProbedProgram<A, E, R>,
  options: Checked<A, E, R2> = {}
): Effect.Effect<number, never, Exclude<R, Scope.Scope> | R2> =>
  Effect.gen(function* () {
    for (let k = 0; ; k++) {
      let seen = 0
      const program = interruptible((interrupt) =>
        observe(self(unprobed), () => {
          if (seen++ === k) interrupt()
        })
      )
      const name = ({ events }: Trial<A, E>) => `interrupted at event ${k}${eventText(events[k])}`
      yield* tryOut(program, { options, step: k, name, toTrial: (trial) => trial })
      if (seen <= k) return k + 1
    }
  })

/**
 * As {@link atEveryEvent}, at each entry into a load: before the call of its function, for each attempt.
 *
 * - `self`: gets the function that makes a loader report its entries: `(probed) => Loader.load(probed(page))`.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader } from "effect-loader"
 * import { Fake, Interruption } from "effect-loader/testing"
 *
 * const org = Fake.delay("org", "40 millis", "acme")
 * const members = Fake.delay("members", "20 millis", ["ada"], { deps: { org } })
 * const page = Loader.make({ members })
 *
 * const runs = Interruption.atEveryEntry((probed) => Loader.load(probed(page)))
 * Effect.runPromise(runs).then((times) => console.log(times)) // 3
 * ```
 *
 * @since 0.1.0
 * @category interrupting
 */
export const atEveryEntry = <A, E, R, R2 = never>(
  self: ProbedProgram<A, E, R>,
  options: Checked<A, E, R2> = {}
): Effect.Effect<number, never, Exclude<R, Scope.Scope> | R2> =>
  Effect.gen(function* () {
    for (let k = 0; ; k++) {
      const entered: Array<string> = []
      const program = interruptible((interrupt) =>
        self((loader) =>
          changeLoads(loader, (name, load) =>
            Effect.suspend(() => {
              if (entered.push(name) === k + 1) interrupt()
              return load
            })
          )
        )
      )
      const name = () => `interrupted at entry ${k}${entered[k] === undefined ? "" : ` (load of ${entered[k]})`}`
      yield* tryOut(program, { options, step: k, name, toTrial: (trial) => trial })
      if (entered.length <= k) return k + 1
    }
  })

/** Runs an effect, and records each instant at which it does work or has scheduled some. */
const notingInstants = <A, E, R>(self: Effect.Effect<A, E, R>, note: (at: number) => void): Effect.Effect<A, E, R> =>
  Effect.flatMap(Clock.Clock, (clock) => {
    const sleep: Clock.Clock["sleep"] = (duration) => {
      note(clock.currentTimeMillisUnsafe() + Duration.toMillis(duration))
      return clock.sleep(duration)
    }
    const noting: Clock.Clock = Object.assign(Object.create(clock), { sleep })
    const ended = Effect.sync(() => note(clock.currentTimeMillisUnsafe()))
    return Effect.ensuring(Effect.provideService(self, Clock.Clock, noting), ended)
  })

/**
 * As {@link atEveryEvent}, at each instant of virtual time with work, after the work of that instant. `check` gets the instant, in
 * milliseconds since the start. These runs are on a virtual clock, whatever `live` says.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader } from "effect-loader"
 * import { Fake, Interruption } from "effect-loader/testing"
 *
 * const org = Fake.delay("org", "40 millis", "acme")
 * const members = Fake.delay("members", "20 millis", ["ada"], { deps: { org } })
 * const page = Loader.make({ members })
 *
 * const runs = Interruption.atEveryInstant((probed) => Loader.load(probed(page)))
 * Effect.runPromise(runs).then((times) => console.log(times)) // 4
 * ```
 *
 * @since 0.1.0
 * @category interrupting
 */
export const atEveryInstant = <A, E, R, R2 = never>(
  self: ProbedProgram<A, E, R>,
  given: Checked<A, E, R2> = {}
): Effect.Effect<number, never, Exclude<R, Scope.Scope> | R2> =>
  Effect.gen(function* () {
    const options = { ...given, live: false }
    const instants = new Set([0])
    let end = 0
    const whole = notingInstants(
      Effect.suspend(() => self(unprobed)),
      (at) => {
        instants.add(at)
        end = at
      }
    )
    const toTrial = (trial: Trial<A, E>): Trial<A, E> => trial
    yield* tryOut(whole, { options, step: Infinity, name: () => "not interrupted", toTrial })
    const times = Array.from(instants).filter((at) => at <= end)
    for (const at of times.toSorted((a, b) => a - b)) {
      const meanwhile: Meanwhile = (fiber) =>
        Effect.andThen(
          TestClock.adjust(at),
          Effect.sync(() => fiber.interruptUnsafe())
        )
      const program = Effect.suspend(() => self(unprobed))
      yield* tryOut(program, { options, step: at, name: () => `interrupted at ${at}ms`, toTrial, meanwhile })
    }
    return times.length + 1
  })

/**
 * At every step: {@link atEveryEvent}, {@link atEveryEntry} and {@link atEveryInstant}.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 * import { Interruption } from "effect-loader/testing"
 *
 * const careless = Resource.make("careless", {
 *   load: () => Effect.andThen(Effect.forkDetach(Effect.never), Effect.sleep("5 millis"))
 * })
 * const program = Interruption.atEveryStep((probed) => Loader.load(probed(Loader.make({ careless }))))
 *
 * const message = Effect.catchDefect(program, (defect) => Effect.succeed(String(defect).split("\n")[0]))
 * Effect.runPromise(message).then((text) => console.log(text))
 * // TrialError: interrupted at event 0 (RunStarted): 1 fiber outlived it
 * ```
 *
 * @since 0.1.0
 * @category interrupting
 */
export const atEveryStep = <A, E, R, R2 = never>(
  self: ProbedProgram<A, E, R>,
  options: Checked<A, E, R2> = {}
): Effect.Effect<number, never, Exclude<R, Scope.Scope> | R2> =>
  Effect.gen(function* () {
    const events = yield* atEveryEvent(self, options)
    const entries = yield* atEveryEntry(self, options)
    return events + entries + (yield* atEveryInstant(self, options))
  })

export type { Options, Trial } from "./Trial.ts"
