/** The reasons of a store's failures: texts for events, and at most one log line a minute for each kind. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { describe, describeCause } from "../base/ErrorText.ts"
import { forkInRoot } from "../base/Fork.ts"
import { monotonicNow } from "../base/Monotonic.ts"
import { RareLine } from "../base/RareLine.ts"

/** The owner of the methods of a store, in messages. */
export const theStore = "the store"

export type FailureKind = "read" | "write" | "forget" | "drop"

const said: Readonly<Record<FailureKind, string>> = {
  read: "the store could not be read, and the values were loaded",
  write: "values could not be written to the store",
  forget: "the store could not be told to forget, and other processes may give the values until their time is over",
  drop: "the store is too slow, and values were not written to it"
}

const longestReason = 200

/** The cause of an error of Effect's persistence. That error itself contains the key, which must not be shown. */
const behind = (error: unknown): unknown => {
  const { _tag, cause } = (error ?? {}) as { readonly _tag?: unknown; readonly cause?: unknown }
  return _tag === "PersistenceError" && cause !== undefined ? cause : error
}

/** Errors of Redis repeat the arguments: keys, which can identify a person. */
const withoutArguments = (text: string): string => text.replace(/,? with args beginning with[^]*/, "")

const shorten = (text: string): string => {
  const told = withoutArguments(text)
  return told.length > longestReason ? `${told.slice(0, longestReason)}...` : told
}

/** Why a call of the store failed. The issue of a schema is left out, since it contains the value. */
export const reasonOf = (cause: Cause.Cause<unknown>): string => {
  const failure = cause.reasons.find(Cause.isFailReason)
  if (failure === undefined) return shorten(describeCause(cause))
  if (Schema.isSchemaError(failure.error)) return "the value does not have the shape that its schema says"
  return shorten(describe(behind(failure.error)))
}

/** Bounds the time of an effect, also in an uninterruptible run. `within` is in milliseconds. */
export const limited = <A, E>(self: Effect.Effect<A, E>, within: number): Effect.Effect<A, E | string> =>
  Effect.timeoutOrElse(Effect.interruptible(self), {
    duration: within,
    orElse: () => Effect.fail(`no answer within ${Duration.format(Duration.millis(within))}`)
  })

export class Failures {
  private readonly cache: string
  private readonly context: Context.Context<never>
  private readonly line = new RareLine<FailureKind>()

  constructor(cache: string, context: Context.Context<never>) {
    this.cache = cache
    this.context = context
  }

  tell(kind: FailureKind, reason: string): void {
    const more = this.line.due(kind, monotonicNow(Context.get(this.context, Clock.Clock)))
    if (more === undefined) return
    forkInRoot(this.context, Effect.logWarning(`cache "${this.cache}": ${said[kind]}: ${reason}${more}`))
  }
}
