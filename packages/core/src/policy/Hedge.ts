/**
 * Hedges: an attempt that takes long gets company, and whoever is first to succeed wins.
 *
 *  1. The delay counts from when an attempt begins, so no more than one of them ever waits for its turn.
 *  2. A success ends the race, and so does anything that is no typed failure: a defect, also of what says whether and when
 *     there is another attempt, or an interruption from within.
 *  3. A typed failure ends it when nothing else runs: what is slow is hedged, what failed is for `retry`.
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
 * How long attempts may take before others begin beside them, where that is learned. `HedgeDelay.Service` of
 * `effect-loader/resilience` makes one, with layers.
 *
 * - `after`: the delay for a resource; infinite where nothing is known yet.
 * - `answered`: tells how long the first attempt of a resource took. Where another one won, it would have taken longer.
 *
 * @since 0.1.0
 * @category models
 */
export interface HedgeDelay {
  readonly after: (resource: string) => Effect.Effect<Duration.Duration>
  readonly answered: (resource: string, took: Duration.Duration) => Effect.Effect<void>
}

/**
 * When there are further attempts, and how many.
 *
 * - `after`: how long the last attempt may take before the next begins; or the key of a {@link HedgeDelay} that learns it.
 * - `max`: how many there are beside the first, at most. A whole number from 1; default 1.
 * - `budget`: the key of a {@link RetryBudget} that each of them is taken from. When it is spent there are none.
 *
 * @since 0.1.0
 * @category models
 */
export interface HedgeOptions<D, B> {
  readonly after: Duration.Input | Context.Key<D, HedgeDelay>
  readonly max?: number
  readonly budget?: Context.Key<B, RetryBudget>
}

/** What a race needs to know, its services included. */
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
  /** When it began, by the monotonic clock in nanoseconds. */
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
    // What an attempt does before it first waits can end the race, which has to know of its fiber by then.
    const attempt = Effect.withFiber((fiber) => {
      lane.fiber = fiber
      return Effect.provideService(this.setup.self, OnBegin, () => this.begun(lane))
    })
    this.setup.fork(attempt).addObserver((exit) => this.ended(lane, exit))
  }

  /** Ends whatever still runs. */
  stop(): Effect.Effect<void> {
    this.over = true
    const fibers = [this.timer, ...Array.from(this.running, ({ fiber }) => fiber)]
    return Fiber.interruptAll(fibers.filter((fiber) => fiber !== undefined))
  }

  /** What an attempt consists of may begin more than once: the items of a list, a loader inside. The first counts. */
  private begun(lane: Lane): void {
    if (this.over || lane.begunAt !== undefined) return
    lane.begunAt = this.clock.monotonicTimeNanosUnsafe()
    if (this.started > this.setup.max) return
    // It can be interrupted wherever the race is: who has won must not wait for it.
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
      observer.hedging()
      // Whoever watches may have ended the race.
      if (!this.over) this.start()
    })
  }

  private ended(lane: Lane, exit: Exit.Exit<unknown, unknown>): void {
    this.running.delete(lane)
    if (this.over) return
    const othersRun = Array.from(this.running).some(({ begunAt }) => begunAt !== undefined)
    if (othersRun && isTypedFailure(exit)) {
      // How long it would have taken to succeed is not known.
      if (lane === this.first) lane.begunAt = undefined
      return this.setup.observer.outrun()
    }
    const learned = Exit.isSuccess(exit) ? this.learn() : Effect.void
    this.resume(Effect.andThen(Effect.ensuring(learned, this.stop()), exit))
  }

  /** The race is won: the first attempt took so long, or would have taken longer. */
  private learn(): Effect.Effect<void> {
    const { delay, observer } = this.setup
    const begunAt = this.first?.begunAt
    if (begunAt === undefined) return Effect.void
    return delay.answered(observer.resource, Duration.nanos(this.clock.monotonicTimeNanosUnsafe() - begunAt))
  }
}

const isTypedFailure = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) && Cause.hasFails(exit.cause) && !Cause.hasDies(exit.cause)

/** Attempts can be interrupted where `race` can. It can be itself in any case: then those that wait for turns give up. */
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

/** A delay of the user's own is checked as their functions are. */
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
 * Has further attempts begin beside one that takes long; the first that succeeds wins. For reads: what is asked for twice
 * is done twice.
 *
 * - `after`, `max`, `budget`: see {@link HedgeOptions}. The delay counts from when the last attempt began: one that waits for
 *   its slot is not slow.
 *
 * Each attempt is one of its own, with a slot and a scope of its own. Those that lost are interrupted, and awaited. An
 * attempt that fails does not end the others; with nothing else running, its failure is the resource's, and the last such
 * failure where several have failed. Nothing begins because something failed: that is for `Policy.retry`, around or inside.
 * A defect ends all of it.
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
