/**
 * Logs of runs: annotations on the logs of each `load`, and a line for each event.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import { describe } from "../base/ErrorText.ts"
import { checked, type Expected } from "../base/UserValue.ts"
import { layerWatch, type Watch, type Watcher } from "../watch/Observer.ts"
import type { Limit, ResourceEvent, RunEvent } from "../watch/RunEvent.ts"
import { count } from "./Count.ts"
import { millis, pauseText } from "./Millis.ts"
import { printable, printableLabel } from "./Printable.ts"
import { whyOf } from "./Words.ts"

/**
 * The parts of the logs.
 *
 * - `annotations`: whether logs of a `load` are annotated with `loader`, `resource` and `attempt`. Default: yes.
 * - `events`: whether events are logged, with the same annotations and `run`. Failures and defects of resources, and runs that
 *   time out, are warnings; a failed compensation is an error; fallbacks, compensations and rewinds are information; all other
 *   events are for debugging. Default: yes.
 * - `level`: the level of an event, in place of that one: `"None"` logs no line, `undefined` leaves the level as it is. An
 *   expected failure, such as a `NotFound`, need not be a warning. A function that throws, or gives anything else, is logged
 *   once a run as the crash of an observer, and its event has no line.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly annotations?: boolean
  readonly events?: boolean
  readonly level?: (event: RunEvent) => LogLevel.Severity | "None" | undefined
}

/** The message of a line, and its cause. */
type LogLine = readonly [message: string, cause?: Cause.Cause<unknown>]

const levels: Partial<Record<RunEvent["_tag"], LogLevel.Severity>> = {
  ResourceFailed: "Warn",
  ResourceDied: "Warn",
  CompensationFailed: "Error",
  CompensationSucceeded: "Info",
  ResourceRewound: "Info",
  ResourceDegraded: "Info"
}

type EventLevel = LogLevel.Severity | "None"

const aLevel: Expected<EventLevel> = {
  text: 'a level of logs, "None" or undefined',
  read: (value) =>
    value !== "All" && LogLevel.values.includes(value as LogLevel.LogLevel) ? (value as EventLevel) : undefined
}

const usualLevelOf = (event: RunEvent): LogLevel.Severity =>
  event._tag === "RunEnded" && event.end === "TimedOut" ? "Warn" : (levels[event._tag] ?? "Debug")

const levelOf = (event: RunEvent, { level }: Options): EventLevel => {
  const own: unknown = level?.(event)
  return own === undefined ? usualLevelOf(event) : checked("Logging.layerWith", "`level`", aLevel, own)
}

const skipText = (because: Extract<ResourceEvent, { readonly _tag: "ResourceSkipped" }>["because"]): string => {
  switch (because._tag) {
    case "DependencyFailed":
      return `resource skipped: ${printableLabel(because.resource)} failed, which it depends on`
    case "NotChosen":
      return `resource skipped: ${printableLabel(because.resource)} chose something else`
    case "RunFailed":
      return `resource skipped: ${printableLabel(because.resource)} failed, and the run with it`
    case "RunTimedOut":
      return "resource skipped: the time of the run was over"
    case "RunInterrupted":
      return "resource skipped: the run was interrupted"
  }
}

const limitText = (limit: Limit): string => {
  switch (limit._tag) {
    case "Slot":
      return `for a slot: all ${limit.concurrency} are taken`
    case "Permit":
      return `for ${printableLabel(limit.limiter)}: at most ${count(limit.limit, "permit")} at once`
    case "FairShare":
      return `for its share of ${printableLabel(limit.limiter)}: at most ${count(limit.limit, "permit")} at once`
  }
}

const undoText = ({
  cleanup,
  inside = []
}: Extract<ResourceEvent, { readonly _tag: "CompensationStarted" | "CompensationSucceeded" | "CompensationFailed" }>) =>
  `${cleanup ? "cleanup" : "compensation"}${inside.length === 0 ? "" : ` of ${inside.map(printableLabel).join(" > ")}`}`

const lineOfResource = (event: ResourceEvent): LogLine => {
  switch (event._tag) {
    case "ResourceReady":
      return ["resource ready"]
    case "ResourceChosen":
      return [`${printableLabel(event.chosen)} chosen, for ${printableLabel(event.choice)}`]
    case "ItemsStarted":
      return [`${count(event.items, "item")} to load`]
    case "ResourceQueued":
      return [`resource waits ${limitText(event.limit)}`]
    case "CacheRead":
      return [
        `${event.result} in cache ${printableLabel(event.cache)} (${event.level})${event.reason === undefined ? "" : `: ${printable(event.reason)}`}`
      ]
    case "PoliciesStarted":
      return ["resource started"]
    case "AttemptStarted":
      return ["attempt started"]
    case "RequestMade":
      return ["request made"]
    case "RequestSent":
      return [
        `request sent, one of ${event.requests} in its call${event.outOfTime === true ? ", sent because `maxHold` expired" : ""}`
      ]
    case "AttemptSucceeded":
      return ["attempt succeeded"]
    case "AttemptFailed":
      return [`attempt failed: ${printable(whyOf(event.cause))}`, event.cause]
    case "AttemptInterrupted":
      return ["attempt interrupted"]
    case "RetryScheduled":
      return [`attempt ${event.attempt} follows ${pauseText(event)}`]
    case "HedgeStarted":
      return [`attempt ${event.attempt} starts as a hedge`]
    case "PolicyRefused":
      return [`refused by ${printableLabel(event.policy)}`]
    case "FallbackStarted":
      return [`fallback started (${printableLabel(event.fallback)})`]
    case "ResourceRewound":
      return [`taken back to ${printableLabel(event.to)}, because ${printableLabel(event.failed)} failed`]
    case "CompensationStarted":
      return [`${undoText(event)} started`]
    case "CompensationSucceeded":
      return [`${undoText(event)} done`]
    case "CompensationFailed":
      return [`${undoText(event)} failed: ${printable(whyOf(event.cause))}`, event.cause]
    case "ResourceSucceeded":
      return ["resource succeeded"]
    case "ResourceDegraded":
      return [`resource fell back (${printableLabel(event.fallback)}) from ${printable(describe(event.error))}`]
    case "ResourceFailed":
      // A typed failure is expected: its line says why, and its stack would be that of the library.
      return [`resource failed: ${printable(whyOf(event.cause))}`]
    case "ResourceDied":
      return [`resource died: ${printable(whyOf(event.cause))}`, event.cause]
    case "ResourceInterrupted":
      return ["resource interrupted"]
    case "ResourceSkipped":
      return [skipText(event.because)]
  }
}

const lineOf = (event: RunEvent, elapsed: number): LogLine => {
  if (event._tag === "RunStarted") return ["run started"]
  if (event._tag !== "RunEnded") return lineOfResource(event)
  const ends = { Completed: "completed", Failed: "failed", TimedOut: "timed out", Interrupted: "was interrupted" }
  return [`run ${ends[event.end]} after ${millis(elapsed)}`]
}

/** The annotations of an attempt. */
interface AttemptFields {
  readonly resource: string
  readonly item: number | undefined
  readonly attempt: number | undefined
}

/** The fields of an attempt that are present. */
const only = (attempt: AttemptFields): Record<string, unknown> =>
  Object.fromEntries(Object.entries(attempt).filter(([, value]) => value !== undefined))

/** The logs of one run. */
class RunLog implements Watcher {
  readonly onEvent: (event: RunEvent) => void
  readonly within?: NonNullable<Watcher["within"]>
  readonly undoing?: NonNullable<Watcher["undoing"]>
  private readonly context: Context.Context<never>
  private readonly minimum: LogLevel.LogLevel
  private readonly options: Options
  private readonly attempts = new Map<string, number>()
  private loader = ""
  private startedAt = 0

  constructor(context: Context.Context<never>, options: Options) {
    const { annotations = true, events = true } = options
    this.context = context
    this.options = options
    this.minimum = Context.get(context, References.MinimumLogLevel)
    this.onEvent = (event) => {
      this.note(event)
      if (events) this.log(event)
    }
    if (annotations) {
      this.within = (around, resource, attempt, item) => this.annotated(around, { resource, attempt, item })
      this.undoing = (around, { item, resource }) => this.annotated(around, { resource, attempt: undefined, item })
    }
  }

  private note(event: RunEvent): void {
    if (event._tag === "RunStarted") {
      this.loader = event.loader
      this.startedAt = event.at
    } else if (event._tag === "AttemptStarted" && event.item === undefined) {
      this.attempts.set(event.resource, event.attempt)
    }
  }

  /** Makes no text for an event below the minimum level of the logs. */
  private log(event: RunEvent): void {
    const level = levelOf(event, this.options)
    if (level === "None" || LogLevel.isGreaterThan(this.minimum, level)) return
    // oxlint-disable-next-line effect-loader/no-call-spread -- a text, and an error or none
    const line = Effect.logWithLevel(level)(...lineOf(event, event.at - this.startedAt))
    Effect.runForkWith(this.context)(Effect.annotateLogs(line, this.annotationsOf(event)))
  }

  private annotationsOf(event: RunEvent): Record<string, unknown> {
    const run = { loader: printable(this.loader), run: event.run }
    if (!("resource" in event)) return run
    const attempt = "attempt" in event ? event.attempt : this.attempts.get(event.resource)
    const item = "item" in event ? event.item : undefined
    return { ...run, ...only({ resource: printable(event.resource), item, attempt }) }
  }

  private annotated(
    around: Context.Context<never>,
    { attempt, item, resource }: AttemptFields
  ): Context.Context<never> {
    const annotations = Context.get(around, References.CurrentLogAnnotations)
    return Context.add(around, References.CurrentLogAnnotations, {
      ...annotations,
      loader: printable(this.loader),
      ...only({ resource: printable(resource), item, attempt: attempt ?? this.attempts.get(resource) ?? 1 })
    })
  }
}

const watch =
  (options: Options): Watch =>
  (context) =>
    new RunLog(context, options)

/**
 * Logs the events of all runs inside its scope, and annotates the logs of their resources: see {@link Options}. It uses each
 * run's own loggers and minimum level.
 *
 * @example
 * ```ts
 * import { Effect, Logger, References } from "effect"
 * import { Loader, Logging, Resource } from "effect-loader"
 *
 * const org = Resource.make("org", { load: () => Effect.as(Effect.log("asking"), "acme") })
 * const lines = Logger.make(({ fiber, message }) => {
 *   console.log(String(message), JSON.stringify(fiber.getRef(References.CurrentLogAnnotations)))
 * })
 *
 * const program = Loader.load(Loader.make({ org }, { name: "page" })).pipe(Effect.provide(Logging.layer))
 * Effect.runSync(program.pipe(Effect.provide(Logger.layer([lines]))))
 * // asking {"loader":"page","resource":"org","attempt":1}
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<never> = /* @__PURE__ */ layerWatch(/* @__PURE__ */ Effect.succeed(watch({})))

/**
 * As {@link layer}, with only the annotations or only the events, or with other levels.
 *
 * @example
 * ```ts
 * import { Effect, Logger } from "effect"
 * import { Loader, Logging, Resource } from "effect-loader"
 *
 * const org = Resource.make("org", { load: () => Effect.fail("down") })
 * const lines = Logger.make(({ message }) => console.log(Array.isArray(message) ? message[0] : message))
 *
 * const program = Effect.exit(Loader.load(Loader.make({ org }))).pipe(
 *   Effect.provide(Logging.layerWith({ annotations: false }))
 * )
 * Effect.runSync(program.pipe(Effect.provide(Logger.layer([lines])))) // resource failed
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWith = (options: Options): Layer.Layer<never> => layerWatch(Effect.succeed(watch(options)))
