/**
 * Hedges: another attempt joins a slow one, and the first success wins.
 *
 *  1. The delay counts from the beginning of the last attempt, so at most one attempt waits for its turn.
 *  2. A success ends the race, and so does a defect, also one of the delay or the budget, or an interruption from within.
 *  3. A typed failure ends the race if no other attempt runs: failed attempts are for `retry`.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { durationOf } from "../base/DurationInput.ts"
import { aDuration, checked } from "../base/UserValue.ts"
import { forkLike } from "../base/Fork.ts"
import type { AnyEffect, LayerObserver } from "../model/Node.ts"
import { asEffect } from "../model/UserEffect.ts"
import { OnBegin } from "../attempt/OnBegin.ts"
import { fromLayers } from "../attempt/FromLayers.ts"
import type { Policy } from "../model/Policy.ts"
import { budgetFor, type RetryBudget, type Spending } from "./RetryBudget.ts"

/**
 * A learned delay of hedges. `HedgeDelay.Service` of `effect-loader/resilience` makes one, with layers.
 *
 * - `after`: the delay for a resource; infinite while nothing is learned.
 * - `answered`: reports the duration of the first attempt of a resource; a lower bound if another attempt won.
 *
 * @since 0.1.0
 * @category models
 */
export interface HedgeDelay {
  readonly after: (resource: string) => Effect.Effect<Duration.Duration>
  readonly answered: (resource: string, took: Duration.Duration) => Effect.Effect<void>
}

/**
 * When further attempts begin, and how many.
 *
 * - `after`: how long the last attempt may take before the next begins; or the key of a {@link HedgeDelay} that learns it.
 * - `max`: the maximal number of further attempts, a whole number from 1; default 1.
 * - `budget`: the key of a {@link RetryBudget} from which each further attempt takes. If it is spent, no further attempt begins.
 *
 * @since 0.1.0
 * @category models
 */
export interface HedgeOptions<D, B> {
  readonly after: Duration.Input | Context.Key<D, HedgeDelay>
  readonly max?: number
  readonly budget?: Context.Key<B, RetryBudget>
}

/** The settings of a race, with its services. */
interface Setup {
  readonly self: AnyEffect
  readonly parent: Fiber.Fiber<unknown, unknown>
  readonly fork: ReturnType<typeof forkLike>
  readonly observer: LayerObserver
  readonly label: string
  readonly max: number
  readonly delay: HedgeDelay
  readonly budget: Spending
}

/** One attempt of a race. */
interface Lane {
  fiber: Fiber.Fiber<unknown, unknown> | undefined
  /** The instant at which it began, by the monotonic clock in nanoseconds. */
  begunAt: bigint | undefined
}

class Race {
  private readonly setup: Setup
  private readonly resume: (effect: AnyEffect) => void
  private readonly clock: Clock.Clock
  private readonly running = new Set<Lane>()
  private first: Lane | undefined = undefined
  private started = 0
  private timer: Fiber.Fiber<unknown, unknown> | undefined = undefined
  private over = false

  constructor(setup: Setup, resume: (effect: AnyEffect) => void) {
    this.setup = setup
    this.resume = resume
    this.clock = setup.parent.getRef(Clock.Clock)
  }

  start(): void {
    const lane: Lane = { fiber: undefined, begunAt: undefined }
    this.started++
    this.first ??= lane
    this.running.add(lane)
    // An attempt can end the race before its first wait, so the race must know its fiber before.
    const attempt = Effect.withFiber((fiber) => {
      lane.fiber = fiber
      return Effect.provideService(this.setup.self, OnBegin, () => this.begun(lane))
    })
    this.setup.fork(attempt).addObserver((exit) => this.ended(lane, exit))
  }

  /** Interrupts all running attempts. */
  stop(): Effect.Effect<void> {
    this.over = true
    const fibers = [this.timer, ...Array.from(this.running, ({ fiber }) => fiber)]
    return Fiber.interruptAll(fibers.filter((fiber) => fiber !== undefined))
  }

  /** The parts of an attempt, such as items of a list, each report a beginning. The first one counts. */
  private begun(lane: Lane): void {
    if (this.over || lane.begunAt !== undefined) return
    lane.begunAt = this.clock.monotonicTimeNanosUnsafe()
    if (this.started > this.setup.max) return
    // It is interruptible even if the race is not: the winner must not wait for it.
    const fork = Effect.runForkWith(this.setup.parent.context as Context.Context<never>)
    const timer = fork(
      Effect.withFiber((fiber) => {
        this.timer = fiber
        return Effect.flatMap(this.setup.delay.after(this.setup.observer.resource), (after) => this.next(after))
      })
    )
    timer.addObserver((exit) => {
      if (Exit.isFailure(exit) && !this.over) this.resume(Effect.andThen(this.stop(), exit))
    })
  }

  private next(after: Duration.Duration): Effect.Effect<void> {
    if (!Duration.isFinite(after)) return Effect.void
    const { budget, label, observer } = this.setup
    return Effect.map(Effect.andThen(Effect.sleep(after), budget.withdraw(Duration.zero)), (isAllowed) => {
      if (this.over) return
      if (!isAllowed) return observer.refused({ policy: label })
      observer.tell({ _tag: "HedgeStarted", attempt: observer.nextAttempt })
      // An observer may have ended the race.
      if (!this.over) this.start()
    })
  }

  private ended(lane: Lane, exit: Exit.Exit<unknown, unknown>): void {
    this.running.delete(lane)
    if (this.over) return
    const othersRun = Array.from(this.running).some(({ begunAt }) => begunAt !== undefined)
    if (othersRun && isTypedFailure(exit)) {
      // The time to a success is not known.
      if (lane === this.first) lane.begunAt = undefined
      return this.setup.observer.outrun()
    }
    const learned = Exit.isSuccess(exit) ? this.learn() : Effect.void
    this.resume(Effect.andThen(Effect.ensuring(learned, this.stop()), exit))
  }

  /** Reports the duration of the first attempt, or a lower bound, when the race is won. */
  private learn(): Effect.Effect<void> {
    const { delay, observer } = this.setup
    const begunAt = this.first?.begunAt
    if (begunAt === undefined) return Effect.void
    return delay.answered(observer.resource, Duration.nanos(this.clock.monotonicTimeNanosUnsafe() - begunAt))
  }
}

const isTypedFailure = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) && Cause.hasFails(exit.cause) && !Cause.hasDies(exit.cause)

/** Attempts are interruptible if `race` is. Waits for turns are always interruptible. */
const race = (setup: Omit<Setup, "parent" | "fork">): AnyEffect =>
  Effect.withFiber((parent) => {
    const fork = forkLike(parent, parent.context as Context.Context<never>)
    const raced = Effect.callback<unknown, unknown, unknown>((resume) => {
      const race = new Race({ ...setup, parent, fork }, resume)
      race.start()
      return Effect.suspend(() => race.stop())
    })
    return Effect.interruptible(raced)
  })

const always = (after: Duration.Duration): HedgeDelay => ({
  after: () => Effect.succeed(after),
  answered: () => Effect.void
})

/** Checks the answers of a user's own delay. */
const checkedDelay = (key: string, delay: HedgeDelay): HedgeDelay => {
  const ask = (option: "after" | "answered", name: string, f: () => unknown): Effect.Effect<unknown> =>
    Effect.suspend(() => asEffect({ name }, `\`${option}\` of the delay ${key}`, f()) as Effect.Effect<unknown>)
  return {
    after: (name) =>
      Effect.map(
        ask("after", name, () => delay.after(name)),
        (after) => checked({ name }, `\`after\` of the delay ${key}`, aDuration, after)
      ),
    answered: (name, took) => Effect.asVoid(ask("answered", name, () => delay.answered(name, took)))
  }
}

const checkMax = (max: number): void => {
  if (!(Number.isInteger(max) && max >= 1)) {
    throw new Cause.IllegalArgumentError(`Policy.hedge: \`max\` must be a whole number from 1, got ${max}`)
  }
}

/**
 * Starts further attempts while one takes long; the first success wins. Use it for reads: hedged work is done more than once.
 *
 * - `after`, `max`, `budget`: see {@link HedgeOptions}. The delay counts from the beginning of the last attempt, after its wait
 *   for a slot.
 *
 * Each attempt has its own slot and scope. Losing attempts are interrupted and awaited. A failed attempt does not end the
 * others; if no other runs, its failure is the resource's, or the last failure if several failed. A failure does not start
 * further attempts: use `Policy.retry` for that, around or inside. A defect ends the hedge.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Policy, Resource } from "effect-loader"
 *
 * let asked = 0
 * const price = Resource.make("price", {
 *   load: () => (++asked === 1 ? Effect.never : Effect.succeed(12))
 * }).pipe(Policy.hedge({ after: "20 millis" }))
 *
 * Effect.runPromise(Loader.load(Loader.make({ price }))).then(({ price }) => console.log(price, asked)) // 12 2
 * ```
 *
 * @since 0.1.0
 * @category policies
 */
export const hedge = <D = never, B = never>(options: HedgeOptions<D, B>): Policy<never, D | B> => {
  const { after, budget: budgetKey, max = 1 } = options
  checkMax(max)
  const learns = Context.isKey(after)
  const fixed = learns ? undefined : durationOf("Policy.hedge: `after`", after)
  const text = learns ? after.key : Duration.format(fixed!)
  const label = `hedge(${max}, ${text}${budgetKey === undefined ? "" : `, ${budgetKey.key}`})`
  const delays = learns
    ? Effect.map(Effect.service(after), (delay) => checkedDelay(after.key, delay))
    : Effect.succeed(always(fixed!))
  return fromLayers([
    {
      kind: "hedge",
      label,
      repeats: true,
      continues: false,
      refused: undefined,
      wrap: (self, observer) =>
        Effect.flatMap(Effect.all([delays, budgetFor(budgetKey, observer)]), ([delay, budget]) =>
          race({ self, observer, label, max, delay, budget })
        )
    }
  ])
}
