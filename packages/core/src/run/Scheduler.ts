/**
 * Runs a program on fibers: each step as soon as its turn comes and a slot is free.
 *
 *  1. `pump` takes the next step in line, starts it, and goes on until none is left or may start.
 *  2. A step that is done at once is settled on the spot, and what becomes ready joins the line: no stack grows.
 *  3. Any other step has a fiber of its own, started at once; its end settles it and pumps again.
 *  4. The run is over when every step has settled, or it was stopped and the last fiber has ended.
 *
 * Eagerly, a step's turn comes when what it waits for is there. In batches it comes with its batch, and a batch comes
 * when nothing of the last one is left: what `Effect.all` over each level would do.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { AsyncContext } from "../base/AsyncContext.ts"
import { forkLike } from "../base/Fork.ts"
import { deepest, enter, leave, level, putOff } from "../base/Nesting.ts"
import type { Interpreter, Run } from "./Run.ts"
import type { Waiter } from "./Slots.ts"

/** After this many starts the pump lets others have the thread: timers fire, and the run can be interrupted. */
const startsPerTurn = 2048

class Scheduler implements Interpreter {
  finished = false
  private readonly run: Run
  private readonly parent: Fiber.Fiber<unknown, unknown>
  private readonly fork: (self: Effect.Effect<unknown, unknown, unknown>) => Fiber.Fiber<unknown, unknown>
  private readonly inBatches: boolean
  private readonly onFinished: (run: Run) => void
  /** Steps that may start without a slot; where there is no limit, all of them. */
  private readonly ready: Array<number>
  private nextReady = 0
  /** The instant at which steps start that start now: read once, until the thread is given away. */
  private startsAt: bigint | undefined = undefined
  /** Those who have asked for a slot since the last time that all free ones were given out. */
  private asking: Array<Waiter> | undefined = undefined
  private nextBatch = 0
  /** What nobody had wanted when its batch came: it follows when it is chosen. */
  private late: Set<number> | undefined = undefined
  private fibers: Array<Fiber.Fiber<unknown, unknown> | undefined> | undefined = undefined
  private running = 0
  private pumping = false
  private afterStop: (() => void) | undefined = undefined
  private timer: Fiber.Fiber<unknown> | undefined = undefined
  /** Where to go on when another run has given something back: that happens on the stack of that run. */
  private home: AsyncContext | undefined = undefined

  constructor(run: Run, parent: Fiber.Fiber<unknown, unknown>, inBatches: boolean, onFinished: (run: Run) => void) {
    this.run = run
    this.parent = parent
    this.inBatches = inBatches
    this.onFinished = onFinished
    this.fork = forkLike(parent, run.context)
    this.ready = run.ready
    const { gate, hooks } = run
    run.isDirect = gate === undefined && hooks.ready === undefined && hooks.remembered === undefined && !inBatches
  }

  /** Starts the run inside so many others, unless it is interrupted before its turn comes. */
  open(timeout: Duration.Duration | undefined, depth: number): void {
    if (!enter(this.parent.cache.scheduler)) return this.openLater(timeout, depth)
    const around = level.now
    level.now = depth + 1
    try {
      if (this.run.stopped !== undefined) return
      this.start()
      if (timeout !== undefined) this.endAfter(timeout)
    } finally {
      level.now = around
      leave()
    }
  }

  // The closures are made apart, so that those who do not put anything off pay nothing for them.
  private openLater(timeout: Duration.Duration | undefined, depth: number): void {
    putOff(() => this.open(timeout, depth))
  }

  private endLater(index: number, exit: Exit.Exit<unknown, unknown>, startedAt: bigint): void {
    putOff(() => this.ended(index, exit, startedAt))
  }

  private start(): void {
    const { gate } = this.run
    if (gate !== undefined) gate.onGranted = () => this.wake()
    // Nothing may start before the run has told of everything that is ready: the most urgent of all goes first.
    this.pumping = true
    this.run.start(this)
    this.pumping = false
    this.pump()
  }

  /** Ends the run at its limit, if it has not ended by then. */
  private endAfter(limit: Duration.Duration): void {
    if (this.finished) return
    const end = Effect.sync(() => this.run.timeOut(limit))
    this.timer = Effect.runForkWith(this.run.context)(Effect.andThen(Effect.sleep(limit), end))
  }

  /** Stops the run, and waits for the last finalizer. */
  interrupt(): Effect.Effect<void> {
    return Effect.callback((resume) => {
      this.finished = true
      this.afterStop = () => resume(Effect.void)
      this.stop()
    })
  }

  private stop(): void {
    if (!enter(this.parent.cache.scheduler)) return putOff(() => this.stop())
    try {
      this.run.stop({ _tag: "Interrupted" })
      this.checkEnd()
    } finally {
      leave()
    }
  }

  onReady(index: number): void {
    // The handler of a fallback follows its own resource directly, whatever the batch.
    const isHandler = this.run.program.steps[index]!.view !== undefined
    if (!this.inBatches || isHandler || this.late?.has(index)) this.enqueue(index)
  }

  onStop(): void {
    // A slot that comes free meanwhile is not for a run inside that is about to be interrupted as well.
    const { pumping } = this
    this.pumping = true
    for (const fiber of this.fibers?.slice() ?? []) fiber?.interruptUnsafe(this.parent.id)
    this.pumping = pumping
    // Where all that is left waits for slots of a run around, no fiber will come back to end this one.
    this.pump()
  }

  onSlots(): void {
    if (!enter(this.parent.cache.scheduler)) return putOff(() => this.onSlots())
    try {
      this.pump()
    } finally {
      leave()
    }
  }

  private enqueue(index: number): void {
    const { gate, program } = this.run
    if (gate === undefined) return void this.ready.push(index)
    const { beginsFree, limit } = program.steps[index]!
    if (beginsFree || (limit === undefined && gate.areEndless)) this.ready.push(index)
    else (this.asking ??= []).push(gate.request(index, limit))
  }

  private pump(): void {
    if (this.pumping) return
    this.pumping = true
    this.startsAt = undefined
    let starts = 0
    while (this.startNext()) {
      if (++starts === startsPerTurn) return this.yieldThread()
    }
    this.tellQueued()
    this.pumping = false
    const { gate } = this.run
    if (gate?.waitsForOthers === true) this.home ??= gate.async?.capture()
    this.checkEnd()
  }

  /** Goes on where the run belongs, with what another run has given back. */
  private wake(): void {
    if (!enter(this.parent.cache.scheduler)) return putOff(() => this.wake())
    try {
      this.pumpAtHome()
    } finally {
      leave()
    }
  }

  private pumpAtHome(): void {
    const { home } = this
    if (this.pumping || home === undefined) return this.pump()
    this.home = undefined
    this.run.gate?.async?.resume(home, () => this.pump())
  }

  /** Leaves the pump, and comes back when the scheduler gives the thread again. */
  private yieldThread(): void {
    this.parent.currentDispatcher.scheduleTask(() => {
      this.pumping = false
      this.pump()
    }, 0)
  }

  /** When the run has stopped, only runs inside go on, which have to end. */
  private startNext(): boolean {
    return this.run.stopped === undefined ? this.startReady() || this.giveTurn() || this.startBatch() : this.giveTurn()
  }

  private startReady(): boolean {
    if (this.nextReady < this.ready.length) {
      this.begin(this.ready[this.nextReady++]!)
      return true
    }
    if (this.nextReady > 0) this.ready.length = this.nextReady = 0
    return false
  }

  private giveTurn(): boolean {
    const turn = this.run.gate?.take()
    if (turn === undefined) return false
    if (turn.resume !== undefined) turn.resume()
    else {
      this.run.takeTurn(turn)
      this.begin(turn.index)
    }
    return true
  }

  /** Puts the next batch in line when the last one is done: all that is left of it and has not been skipped. */
  private startBatch(): boolean {
    if (!this.inBatches || this.running > 0) return false
    const batch = this.run.program.batches[this.nextBatch++]
    if (batch === undefined) return false
    for (const index of batch) {
      if (this.run.program.steps[index]!.begin === undefined) continue
      if (this.run.isReady(index)) this.enqueue(index)
      else if (this.run.isPending(index)) (this.late ??= new Set()).add(index)
    }
    return true
  }

  private tellQueued(): void {
    if (this.asking === undefined) return
    for (const waiter of this.asking) {
      if (waiter.waits) this.run.queued(waiter)
    }
    this.asking = undefined
  }

  private begin(index: number): void {
    const effect = this.run.begin(index)
    // Whoever watches, and `load` itself, can end the run: then what was about to start does not.
    if (this.run.stopped !== undefined) return this.run.settle(index, Exit.interrupt(this.parent.id))
    if (Exit.isExit(effect)) return this.settleExit(index, effect)
    const context = this.run.contextOf(index)
    const fork = context === undefined ? this.fork : forkLike(this.parent, context)
    const fiber = fork(effect as Effect.Effect<unknown, unknown, unknown>)
    const exit = fiber.pollUnsafe()
    if (exit !== undefined) return this.settleExit(index, this.checked(index, effect, exit))
    const startedAt = (this.startsAt ??= this.run.now())
    this.running++
    ;(this.fibers ??= [])[index] = fiber
    fiber.addObserver((exit) => this.ended(index, exit, startedAt))
    // What it did before it first waited can have ended the run, when it did not stand among the running yet.
    if (this.run.stopped !== undefined) fiber.interruptUnsafe(this.parent.id)
  }

  private settleExit(index: number, exit: Exit.Exit<unknown, unknown>): void {
    if (exit._tag === "Success") this.run.settleValue(index, exit.value)
    else this.run.settle(index, exit)
  }

  /** Something that is no effect fails at once: asking only then keeps the question off the fast path. */
  private checked(index: number, effect: unknown, exit: Exit.Exit<unknown, unknown>): Exit.Exit<unknown, unknown> {
    return exit._tag === "Success" || Effect.isEffect(effect) ? exit : this.run.notAnEffect(index, effect)
  }

  private ended(index: number, exit: Exit.Exit<unknown, unknown>, startedAt: bigint): void {
    if (!enter(this.parent.cache.scheduler)) return this.endLater(index, exit, startedAt)
    try {
      this.fibers![index] = undefined
      this.running--
      // The run must not end while it is still telling what follows from this.
      const { pumping } = this
      this.pumping = true
      this.run.settle(index, exit, startedAt)
      this.pumping = pumping
      this.pump()
    } finally {
      leave()
    }
  }

  private checkEnd(): void {
    if (this.running > 0 || this.pumping) return
    if (this.run.stopped === undefined && this.run.remaining > 0) return
    this.timer?.interruptUnsafe()
    this.run.gate?.async?.release(this.home)
    this.home = undefined
    if (this.afterStop !== undefined) this.afterStop()
    else if (!this.finished) this.finish()
    // What the end of this run means for a run around is known now: only then may others there have its slots.
    this.run.gate?.close()
  }

  private finish(): void {
    this.finished = true
    this.onFinished(this.run)
  }
}

const tooDeep = (loader: string): RangeError =>
  new RangeError(
    `loader "${loader}" would run inside of ${deepest} others: a load that runs its own loader, however far down, never ends`
  )

/** How a run is scheduled. */
export interface Scheduling {
  readonly inBatches: boolean
  /** When the run is ended, wherever it then is. It is the run that ends, so that what it had done is not lost. */
  readonly timeout: Duration.Duration | undefined
}

/**
 * Schedules a run; `conclude` says what the whole comes to. Interrupting it ends the run, waits for the last finalizer,
 * and adds what `onInterrupted` fails with.
 */
export const schedule = <A, E>(
  run: Run,
  parent: Fiber.Fiber<unknown, unknown>,
  { inBatches, timeout }: Scheduling,
  conclude: (run: Run) => Effect.Effect<A, E>,
  onInterrupted: (run: Run) => Effect.Effect<void>
): Effect.Effect<A, E> =>
  // The steps are started inside `callback`, so that a step which interrupts the caller finds the finalizer in place.
  Effect.callback((resume) => {
    if (level.now === deepest) return resume(Effect.die(tooDeep(run.program.name)))
    const scheduler = new Scheduler(run, parent, inBatches, (run) => resume(conclude(run)))
    scheduler.open(timeout, level.now)
    return scheduler.finished
      ? undefined
      : Effect.suspend(() => Effect.flatMap(scheduler.interrupt(), () => onInterrupted(run)))
  })
