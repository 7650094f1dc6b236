/** Work that a cache does for itself, beside what is asked of it: so much at once, and no longer than the cache lives. */
import { Context, Effect, Fiber, Scope, Tracer } from "effect"
import { Held, notOurs } from "../base/Held.ts"
import { Aboard } from "./Flights.ts"

export class Background {
  private readonly most: number
  private readonly fibers = new Set<Fiber.Fiber<unknown, unknown>>()
  private closed = false

  constructor(most: number) {
    this.most = most
  }

  /** Whether it takes any more. */
  get hasRoom(): boolean {
    return !this.closed && this.fibers.size < this.most
  }

  /**
   * Starts at once. Who asked may be gone by the time it ends, so their span, their scope, their run, what they hold and what
   * waits for them are not its own.
   */
  run<R>(context: Context.Context<R>, self: Effect.Effect<unknown, unknown, R>): void {
    const fiber = Effect.runForkWith(alone(context))(self)
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

/** Where in a run something is. Runs, which are above, have these keys (`run/Enclosing.ts`, `run/saga/Saga.ts`). */
const placesInRuns = /* @__PURE__ */ ["Enclosing", "Frame"].map((name) =>
  Context.Service<never, unknown>(`effect-loader/${name}`)
)

const alone = <R>(context: Context.Context<R>): Context.Context<R> =>
  Context.omit(
    Tracer.ParentSpan,
    Scope.Scope,
    Aboard,
    ...placesInRuns
  )(
    Context.add(context as Context.Context<never>, Held, notOurs(Context.get(context, Held)))
  ) as unknown as Context.Context<R>
