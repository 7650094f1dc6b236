/** Effects that ask and wait for what they are told. */
import { type Cause, Effect, Exit, Fiber } from "effect"
import type { AnyRequest } from "./AnyResolver.ts"
import type { Caller, Telling } from "./Asked.ts"
import type { Batches } from "./Batches.ts"

const leaveAll = (callers: ReadonlyArray<Caller>): Effect.Effect<void> =>
  Effect.suspend(() => {
    const ends = callers.flatMap((caller) => caller.leave() ?? [])
    return ends.length === 0 ? Effect.void : Effect.forEach(ends, (end) => end, { discard: true })
  })

/** Asks one request. Interrupting it leaves; where that ends a call, it waits for the end. */
export const ask = (batches: Batches, request: () => AnyRequest, telling?: Telling): Effect.Effect<unknown, unknown> =>
  Effect.callback((resume) => {
    const caller = batches.ask(request(), Fiber.getCurrent()!.context, resume, telling)
    return leaveAll([caller])
  })

/**
 * Asks several requests at once, without a fiber for each. The first that fails fails it all, and leaves the others.
 *
 * - `onFailure`: told which one failed, and how.
 */
export const askAll = (
  batches: Batches,
  requests: ReadonlyArray<AnyRequest>,
  onFailure: (index: number, cause: Cause.Cause<unknown>) => void,
  telling?: Telling
): Effect.Effect<ReadonlyArray<unknown>, unknown> =>
  Effect.callback<ReadonlyArray<unknown>, unknown>((resume) => {
    const { context } = Fiber.getCurrent()!
    const values: Array<unknown> = new Array(requests.length)
    const callers: Array<Caller> = []
    let open = requests.length
    const onExit = (index: number, exit: Exit.Exit<unknown, unknown>): void => {
      if (open <= 0) return
      if (Exit.isSuccess(exit)) {
        values[index] = exit.value
        if (--open === 0) resume(Exit.succeed(values))
      } else {
        open = 0
        onFailure(index, exit.cause)
        resume(Effect.andThen(leaveAll(callers), Exit.failCause(exit.cause)))
      }
    }
    if (open === 0) resume(Exit.succeed(values))
    for (let k = 0; k < requests.length && open > 0; k++) {
      callers.push(batches.ask(requests[k]!, context, (exit) => onExit(k, exit), telling))
    }
    return leaveAll(callers)
  })
