import { Data } from "effect"

/** A server could not be had. The message says what to do about it. */
export class NoServer extends Data.TaggedError("NoServer")<{
  readonly message: string
  readonly cause?: unknown
}> {}
