/** Requests without an answer. */
import * as Data from "effect/Data"

const text = (request: unknown): string => {
  try {
    return JSON.stringify(request) ?? String(request)
  } catch {
    return String(request)
  }
}

/**
 * A resolver has ended and left this request without an answer.
 *
 * - `request`: the request.
 *
 * A resolver must complete every request of a batch. Where it finds nothing, it completes the request with a failure.
 *
 * @example
 * ```ts
 * import { Effect, Request, RequestResolver } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * class GetUser extends Request.TaggedClass("GetUser")<{ readonly id: number }, string> {}
 *
 * const Forgetful = RequestResolver.make<GetUser>(() => Effect.void)
 * const user = Resource.fromRequest("user", { request: () => new GetUser({ id: 7 }), resolver: Forgetful })
 *
 * Effect.runPromise(Effect.flip(Loader.load(Loader.make({ user })))).then((e) => console.log(e.error._tag))
 * // UnansweredRequest
 * ```
 *
 * @since 0.1.0
 * @category errors
 */
export class UnansweredRequest extends Data.TaggedError("UnansweredRequest")<{
  readonly message: string
  readonly request: unknown
}> {
  constructor(props: { readonly request: unknown }) {
    super({
      ...props,
      message:
        `the resolver gave no answer to ${text(props.request)}: it must complete every request of a batch, ` +
        "with a failure where it finds nothing"
    })
  }
}
