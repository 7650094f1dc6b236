/** Work of a cache that no reader waits for: bounded in number, and interrupted when the cache's layer ends. */
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

  /** How much runs now. */
  get size(): number {
    return this.fibers.size
  }

  /** Whether there is room for more. */
  get hasRoom(): boolean {
    return !this.closed && this.fibers.size < this.most
  }

  /** Starts at once, with the reader's services, though the reader may end before the work does. */
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
