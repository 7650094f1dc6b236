/** Work of a cache that no reader waits for. Its amount is bounded, and the end of the cache's layer interrupts it. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { detach } from "../base/Callers.ts"
import { forkInRoot } from "../base/Fork.ts"

export class Background {
  private readonly most: number
  private readonly within: number
  private readonly fibers = new Set<Fiber.Fiber<unknown, unknown>>()
  private closed = false

  /** `within`: how long closing waits for interrupted work, in milliseconds. */
  constructor(most: number, within: number) {
    this.most = most
    this.within = within
  }

  get isClosed(): boolean {
    return this.closed
  }

  /** The number of fibers that run now. */
  get size(): number {
    return this.fibers.size
  }

  /** Whether another fiber may start. */
  get hasRoom(): boolean {
    return !this.closed && this.fibers.size < this.most
  }

  /** Starts work at once, with the reader's services. The reader may end before the work does. */
  run<R>(context: Context.Context<R>, self: Effect.Effect<unknown, unknown, R>): void {
    const fiber = forkInRoot(detach(context), self)
    if (fiber.pollUnsafe() !== undefined) return
    this.fibers.add(fiber)
    fiber.addObserver(() => this.fibers.delete(fiber))
  }

  /** Interrupts all work, and waits for it up to the bound, since uninterruptible work ignores the interruption. */
  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    this.closed = true
    if (this.fibers.size === 0) return Effect.void
    for (const fiber of this.fibers) fiber.interruptUnsafe()
    const ended = Effect.interruptible(Fiber.awaitAll(Array.from(this.fibers)))
    return Effect.asVoid(Effect.timeoutOption(ended, this.within))
  })
}
