/** A backend that answers several requests at once, and records its calls. */
import { Data, Effect, Exit, Request, RequestResolver } from "effect"

export class NotFound extends Data.TaggedError("NotFound")<{ readonly id: number }> {}

export class GetUser extends Request.TaggedClass("GetUser")<{ readonly id: number }, string, NotFound> {}

export class Backend {
  /** The ids of each call. */
  readonly calls: Array<ReadonlyArray<number>> = []
  interrupted = 0
  open = 0
  mostOpen = 0
  readonly resolver: RequestResolver.RequestResolver<GetUser>

  /** `takes`: the time of a call in milliseconds. An id below 0 is not found; id 404 gets no answer. */
  constructor(takes = 10) {
    this.resolver = RequestResolver.make<GetUser>((entries) =>
      Effect.suspend(() => {
        this.calls.push(entries.map(({ request }) => request.id))
        this.mostOpen = Math.max(this.mostOpen, ++this.open)
        return Effect.andThen(
          Effect.sleep(takes),
          Effect.sync(() => answer(entries))
        )
      }).pipe(
        Effect.onInterrupt(() => Effect.sync(() => this.interrupted++)),
        Effect.ensuring(Effect.sync(() => this.open--))
      )
    )
  }
}

const answer = (entries: ReadonlyArray<Request.Entry<GetUser>>): void => {
  for (const entry of entries) {
    const { id } = entry.request
    if (id === 404) continue
    entry.completeUnsafe(id < 0 ? Exit.fail(new NotFound({ id })) : Exit.succeed(nameOf(id)))
  }
}

export const nameOf = (id: number): string => `user ${id}`
