/** Work of a cache that no reader waits for: bounded in number, and interrupted when the cache's layer ends. */
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

  /** `within`: how many milliseconds it waits for what runs when it closes. */
  constructor(most: number, within: number) {
    this.most = most
    this.within = within
  }

  get isClosed(): boolean {
    return this.closed
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

  /** Interrupts what runs, and waits for it: not for ever, since some of it may ignore that. */
  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    this.closed = true
    if (this.fibers.size === 0) return Effect.void
    for (const fiber of this.fibers) fiber.interruptUnsafe()
    const ended = Effect.interruptible(Fiber.awaitAll(Array.from(this.fibers)))
    return Effect.asVoid(Effect.timeoutOption(ended, this.within))
  })
}
