import { Data } from "effect"

/** A server could not be had. The message says what to do about it. */
export class NoServer extends Data.TaggedError("NoServer")<{
  readonly message: string
  readonly cause?: unknown
}> {}

/** What was given is not the URL of such a server, or of none that answers. Nobody wants another server then, or none. */
export class WrongUrl extends Data.TaggedError("WrongUrl")<{ readonly message: string }> {}
