import { Data } from "effect"

/** There is no such thing. */
export class NotFound extends Data.TaggedError("NotFound")<{ readonly kind: string; readonly id: string }> {
  override get message() {
    return `there is no ${this.kind} "${this.id}"`
  }
}
