/**
 * Runs a plan batch by batch: `Effect.forEach` over each level, and no level before the last one is done.
 *
 * Easy to reason about, and so the yardstick for the eager interpreter: both give equal values.
 */
import { Effect, Exit } from "effect"
import type { Run } from "./Run.ts"

class Batched {
  private readonly run: Run
  /** Handlers of fallbacks that became ready with the step that was settled last. */
  private readonly ready: Array<number> = []
  private offering = false
  private onStop: (() => void) | undefined = undefined

  constructor(run: Run) {
    this.run = run
  }

  /** All batches, one after the other. */
  readonly batches: Effect.Effect<void> = Effect.suspend(() => {
    this.run.start({
      // A load's turn comes with its batch; only the handler of a fallback follows its own resource directly.
      onReady: (index) => {
        if (this.run.program.steps[index]!.kind === "view") this.ready.push(index)
      },
      onStop: () => this.onStop?.(),
      onSlots: () => this.offerSlots()
    })
    let next = 0
    return Effect.andThen(
      this.handlers(),
      Effect.whileLoop({
        while: () => next < this.run.program.batches.length && this.run.stopped === undefined,
        body: () => this.batch(this.run.program.batches[next++]!),
        step: () => {}
      })
    ).pipe(
      // What the batch failed with is what stopped the run, and that is on record.
      Effect.catchCause((cause) => (this.run.stopped === undefined ? Effect.failCause(cause) : Effect.void))
    ) as Effect.Effect<void>
  })

  /** Succeeds when the run is stopped from outside. */
  readonly stopped: Effect.Effect<void> = Effect.callback((resume) => {
    this.onStop = () => resume(Effect.void)
  })

  private batch(indices: ReadonlyArray<number>): Effect.Effect<void, "stopped"> {
    return Effect.forEach(indices, (index) => this.step(index), { concurrency: "unbounded", discard: true })
  }

  /** One step and, where it failed, the handlers of its fallbacks. */
  private step(index: number): Effect.Effect<void, "stopped"> {
    return Effect.suspend(() => {
      if (this.run.program.steps[index]!.kind === "struct" || !this.run.isPending(index)) return Effect.void
      let startedAt = 0
      const self = Effect.suspend(() => {
        startedAt = this.run.now()
        return this.run.checked(index, this.run.begin(index))
      })
      const { slots } = this.run.attempts
      return (slots === undefined ? self : Effect.andThen(this.run.attempts.waitForSlot(index, 1, slots), self)).pipe(
        Effect.onExit((exit) => Effect.sync(() => this.settle(index, exit, startedAt))),
        Effect.exit,
        // Failing is what makes `forEach` interrupt the others.
        Effect.flatMap(() => (this.run.stopped === undefined ? this.handlers() : Effect.fail("stopped" as const)))
      ) as Effect.Effect<void, "stopped">
    })
  }

  private settle(index: number, exit: Exit.Exit<unknown, unknown>, startedAt: number): void {
    if (!this.run.isPending(index)) this.run.settle(index, exit, startedAt)
  }

  private handlers(): Effect.Effect<void, "stopped"> {
    const indices = this.ready.splice(0)
    return indices.length === 0 ? Effect.void : this.batch(indices)
  }

  private offerSlots(): void {
    if (this.offering) return
    this.offering = true
    for (let turn = this.run.attempts.slots?.take(); turn !== undefined; turn = this.run.attempts.slots?.take())
      turn.resume?.()
    this.offering = false
  }
}

/** Interprets a run batch by batch. The parameters are those of `eager`. */
export const batched = <A, E>(
  run: Run,
  conclude: () => Effect.Effect<A, E>,
  onInterrupted: () => Effect.Effect<void>,
  canTimeOut: boolean
): Effect.Effect<A, E> =>
  Effect.suspend(() => {
    const { batches, stopped } = new Batched(run)
    return (canTimeOut ? Effect.raceFirst(batches, stopped) : batches).pipe(
      Effect.onInterrupt(() => {
        run.stop({ _tag: "Interrupted" })
        return onInterrupted()
      }),
      Effect.andThen(Effect.suspend(conclude))
    )
  })
