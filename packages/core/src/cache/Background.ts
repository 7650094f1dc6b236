/** Work that a cache does for itself and no reader waits for: so much at once, and no longer than the cache lives. */
import { type Context, Effect, Fiber } from "effect"
import { detach } from "../base/Callers.ts"
import { forkInRoot } from "../base/Fork.ts"

export class Background {
  private readonly most: number
  private readonly fibers = new Set<Fiber.Fiber<unknown, unknown>>()
  private closed = false

  constructor(most: number) {
    this.most = most
  }

  /** How much runs just now. */
  get size(): number {
    return this.fibers.size
  }

  /** Whether it takes any more. */
  get hasRoom(): boolean {
    return !this.closed && this.fibers.size < this.most
  }

  /** Starts at once, with the reader's services: the reader may be gone by the time that the work ends. */
  run<R>(context: Context.Context<R>, self: Effect.Effect<unknown, unknown, R>): void {
    const fiber = forkInRoot(detach(context), self)
    if (fiber.pollUnsafe() !== undefined) return
    this.fibers.add(fiber)
    fiber.addObserver(() => this.fibers.delete(fiber))
  }

  /** Interrupts what runs, and waits for it. */
  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    this.closed = true
    return Fiber.interruptAll(Array.from(this.fibers))
  })
}
