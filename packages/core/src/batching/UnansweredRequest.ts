/** Requests that a resolver forgets. */
import { Data } from "effect"

const text = (request: unknown): string => {
  try {
    return JSON.stringify(request) ?? String(request)
  } catch {
    return String(request)
  }
}

/**
 * A resolver had answered its batch, and this request was left without an answer.
 *
 * - `request`: the request.
 *
 * A resolver must complete every request that it is given: with a failure, where there is nothing to find.
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
        "with a failure where there is nothing to find"
    })
  }
}
