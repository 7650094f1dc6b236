/**
 * Folds the events of one run: the current phase of each resource, and its earlier phases.
 *
 * Reports, live views and gauges are made from timelines.
 */
import type { Plan } from "../compile/Plan.ts"
import {
  attemptKey,
  type CacheRead,
  type Limit,
  type ResourceEnded,
  type ResourceEvent,
  type RunEnd,
  type RunEvent,
  type RunStarted
} from "./RunEvent.ts"
import type { CacheReads, NotUndone, Outcome, Phase, PhaseTag, Report, ResourceReport } from "./Report.ts"

/** A phase that has yet to end. */
type Doing = Phase extends infer P ? (P extends Phase ? Omit<P, "to" | "resource"> : never) : never

/** Limits for which a resource waits while others use them. */
const limits: ReadonlyArray<Limit["_tag"]> = ["Slot", "Permit", "FairShare"]

const unfinished: Outcome = { _tag: "Unfinished" }

export class ResourceTimeline {
  readonly resource: string
  /** Its current phase; `undefined` when it has ended. */
  doing: Doing | undefined
  outcome: Outcome = unfinished
  attempts = 0
  refusals = 0
  readyAt: number | undefined
  startedAt: number | undefined
  endedAt: number | undefined
  /** The start of its next attempt, during a pause. */
  retryAt: number | undefined
  /** The items of a list; the chosen resource of a choice. */
  items: { total: number; loaded: number; took: number } | undefined
  chosen: string | undefined
  /** The reads of caches, by cache and level. */
  caches: Map<string, CacheReads> | undefined
  private readonly past: Array<Omit<Phase, "resource">> = []
  /** The start of each running attempt, and the items that wait for a limit. */
  private readonly running = new Map<string, number>()
  private readonly queued = new Map<number, Limit["_tag"]>()
  /** The attempts whose requests have yet to be sent. */
  private readonly collecting = new Set<string>()
  /** The number of its running compensations, and its failed ones. */
  private undoing = 0
  readonly notUndone: Array<NotUndone> = []

  constructor(resource: string, from: number) {
    this.resource = resource
    this.doing = { _tag: "Dependency", from }
  }

  /** `inBatches`: whether ready resources wait for their batch. */
  add(event: ResourceEvent, inBatches: boolean): void {
    const { at } = event
    switch (event._tag) {
      case "ResourceReady":
        this.readyAt = at
        this.waitAgain(at)
        return this.become({ _tag: inBatches ? "Batch" : "Thread", from: at })
      case "ResourceChosen":
        this.chosen = event.chosen
        return
      case "ItemsStarted":
        this.startedAt ??= at
        this.items = { total: event.items, loaded: 0, took: this.items?.took ?? 0 }
        return this.become({ _tag: "Policy", from: at })
      case "ResourceQueued":
        // In a wait before a fallback, the last attempt has ended without an event of its own.
        if (event.item === undefined) this.running.delete(attemptKey(event))
        else this.queued.set(event.item, event.limit._tag)
        return this.unlessRunning({ _tag: event.limit._tag, from: at })
      case "CacheRead":
        return this.cacheRead(event)
      case "PoliciesStarted":
        this.startedAt ??= at
        return this.become({ _tag: "Policy", from: at })
      case "AttemptStarted":
        this.attempts++
        this.startedAt ??= at
        this.retryAt = undefined
        this.running.set(attemptKey(event), at)
        if (event.item === undefined) return this.become({ _tag: "Attempt", attempt: event.attempt, from: at })
        this.queued.delete(event.item)
        if (this.doing?._tag !== "Items") this.become({ _tag: "Items", from: at })
        return
      case "RequestMade":
        this.collecting.add(attemptKey(event))
        if (this.collecting.size === this.running.size || event.item === undefined) {
          this.become({ _tag: "Collecting", from: at })
        }
        return
      case "RequestSent":
        this.collecting.delete(attemptKey(event))
        if (event.item === undefined) return this.become({ _tag: "Attempt", attempt: event.attempt, from: at })
        if (this.doing?._tag === "Collecting") this.become({ _tag: "Items", from: at })
        return
      case "AttemptSucceeded":
      case "AttemptFailed":
      case "AttemptInterrupted":
        if (event.item !== undefined) this.itemEnded(event)
        this.running.delete(attemptKey(event))
        this.collecting.delete(attemptKey(event))
        return this.unlessRunning({ _tag: this.awaited ?? "Policy", from: at })
      case "RetryScheduled":
        this.retryAt = event.retryAt
        return this.unlessRunning({ _tag: "Retry", from: at })
      case "HedgeStarted":
        // Separate events report the consequences.
        return
      case "PolicyRefused":
        if (event.error === undefined) return
        this.refusals++
        if (event.item !== undefined) this.queued.delete(event.item)
        if (isWaiting(this.doing)) this.unlessRunning({ _tag: this.awaited ?? "Policy", from: at })
        return
      case "FallbackStarted":
        this.startedAt ??= at
        return this.become({ _tag: "Fallback", fallback: event.fallback, from: at })
      case "ResourceRewound":
        this.outcome = unfinished
        this.endedAt = undefined
        this.retryAt = event.retryAt
        this.running.clear()
        this.queued.clear()
        this.collecting.clear()
        return this.become({ _tag: "Retry", from: at })
      case "CompensationStarted":
        // A cleanup belongs to its attempt, and so does a compensation before the end of the resource.
        if (this.endedAt === undefined) return
        if (this.undoing++ === 0) this.become({ _tag: "Compensation", from: at }, at)
        return
      case "CompensationSucceeded":
        return this.undone(at, { _tag: "Compensated" })
      case "CompensationFailed": {
        const { cause, cleanup, inside, item } = event
        const where = { ...(item === undefined ? {} : { item }), ...(inside === undefined ? {} : { inside }) }
        this.notUndone.push({ ...where, cleanup, cause })
        return this.undone(at, { _tag: "CompensationFailed", cause })
      }
      default:
        this.outcome = outcomeOf(event)
        this.endedAt = at
        // Items from a cache have no attempts. In a list that succeeded, all items are loaded.
        if (this.items !== undefined && event._tag === "ResourceSucceeded") this.items.loaded = this.items.total
        return this.become(undefined, at)
    }
  }

  /** All its phases. The current one ends at `now`. */
  phases(now: number, lastOf: (resource: string, at: number) => string | undefined): ReadonlyArray<Phase> {
    const whole = this.doing === undefined ? this.past : [...this.past, { ...this.doing, to: now }]
    return whole.map((phase): Phase => {
      const { _tag } = phase
      return _tag === "Dependency" ? { ...phase, _tag, resource: lastOf(this.resource, phase.to) } : (phase as Phase)
    })
  }

  /** The name of the resource whose failure skipped it. */
  get skippedFor(): string | undefined {
    const { outcome } = this
    return outcome?._tag === "Skipped" && outcome.because._tag === "DependencyFailed"
      ? outcome.because.resource
      : undefined
  }

  private itemEnded(event: AttemptEnded): void {
    const { items } = this
    if (items === undefined) return
    items.took += event.at - (this.running.get(attemptKey(event)) ?? event.at)
    if (event._tag === "AttemptSucceeded") items.loaded++
  }

  /** The limit for which the first waiting item waits. */
  private get awaited(): Limit["_tag"] | undefined {
    return this.queued.values().next().value
  }

  private cacheRead({ cache, level, result }: CacheRead): void {
    this.caches ??= new Map()
    const key = `${level} ${cache}`
    const reads = this.caches.get(key) ?? { cache, level, hit: 0, miss: 0, coalesced: 0, stale: 0, error: 0 }
    this.caches.set(key, { ...reads, [result]: reads[result] + 1 })
  }

  /** A compensation or cleanup has ended. */
  private undone(at: number, outcome: Outcome): void {
    if (this.endedAt === undefined) return
    const { _tag } = this.outcome
    if (_tag === "Succeeded" || _tag === "Degraded" || _tag === "Compensated") this.outcome = outcome
    if (--this.undoing === 0) this.become(undefined, at)
  }

  private unlessRunning(next: Doing): void {
    if (this.running.size === 0) this.become(next)
  }

  /** After a rewind it waits for its dependencies again, from the end of the pause. */
  private waitAgain(at: number): void {
    const { retryAt } = this
    if (this.doing?._tag !== "Retry" || retryAt === undefined || retryAt >= at) return
    this.become({ _tag: "Dependency", from: retryAt }, retryAt)
    this.retryAt = undefined
  }

  private become(next: Doing | undefined, at = next!.from): void {
    const { doing } = this
    // Phases without duration are left out, except attempts and compensations; the attempt of a request counts once it is sent.
    const isTold = doing?._tag === "Compensation" || (doing?._tag === "Attempt" && next?._tag !== "Collecting")
    if (doing !== undefined && (doing.from < at || isTold)) this.past.push({ ...doing, to: at })
    this.doing = next
  }
}

/** Whether it waits for a turn, which a refusal ends. */
const isWaiting = (doing: Doing | undefined): boolean =>
  doing?._tag === "Thread" || limits.some((limit) => limit === doing?._tag)

type AttemptEnded = Extract<
  ResourceEvent,
  { readonly _tag: "AttemptSucceeded" | "AttemptFailed" | "AttemptInterrupted" }
>

const outcomeOf = (event: ResourceEnded): Outcome => {
  switch (event._tag) {
    case "ResourceSucceeded":
      return { _tag: "Succeeded" }
    case "ResourceDegraded":
      return { _tag: "Degraded", fallback: event.fallback, error: event.error }
    case "ResourceFailed":
      return { _tag: "Failed", cause: event.cause }
    case "ResourceDied":
      return { _tag: "Died", cause: event.cause }
    case "ResourceSkipped":
      return { _tag: "Skipped", because: event.because }
    default:
      return { _tag: "Interrupted" }
  }
}

/** The total duration of phases of some kinds, in milliseconds. */
export const timeIn = (phases: ReadonlyArray<Phase>, tags: ReadonlyArray<PhaseTag>): number =>
  phases.reduce((sum, { _tag, from, to }) => (tags.includes(_tag) ? sum + to - from : sum), 0)

export class Timeline {
  readonly run: number
  readonly loader: string
  readonly plan: Plan
  readonly startedAt: number
  endedAt: number | undefined
  end: RunEnd | undefined
  readonly resources = new Map<string, ResourceTimeline>()
  private lastAt: number
  /** The dependencies of each resource, and its nested runs. */
  private readonly dependencies = new Map<string, ReadonlyArray<string>>()
  private readonly inside = new Map<string, Array<Timeline>>()

  constructor({ at, loader, plan, run }: RunStarted) {
    this.run = run
    this.loader = loader
    this.plan = plan
    this.startedAt = at
    this.lastAt = at
    const decides = new Map(
      plan.resources.flatMap(({ dependencies, kind, name }) => (kind === "match" ? [[name, dependencies[0]!]] : []))
    )
    for (const { dependencies, kind, name, onlyFor } of plan.resources) {
      if (kind === "input" || kind === "constant") continue
      this.resources.set(name, new ResourceTimeline(name, at))
      // A resource that only a choice can want also waits for the decider.
      const deciding = onlyFor?.map((choice) => decides.get(choice)!)
      this.dependencies.set(name, deciding === undefined ? dependencies : [...dependencies, ...deciding])
    }
  }

  /** Adds a run nested in a resource of this run. */
  addInside(resource: string, run: Timeline): void {
    const runs = this.inside.get(resource)
    if (runs === undefined) this.inside.set(resource, [run])
    else runs.push(run)
  }

  /** Adds an event of this run. Returns the timeline of its resource. */
  add(event: RunEvent): ResourceTimeline | undefined {
    this.lastAt = Math.max(this.lastAt, event.at)
    if (event._tag === "RunStarted") return undefined
    if (event._tag === "RunEnded") {
      this.endedAt = event.at
      this.end = event.end
      return undefined
    }
    const resource = this.get(event.resource)
    resource.add(event, this.plan.scheduling === "batched")
    return resource
  }

  /** An input has events only if a view of it dies. */
  private get(name: string): ResourceTimeline {
    let resource = this.resources.get(name)
    if (resource === undefined) this.resources.set(name, (resource = new ResourceTimeline(name, this.startedAt)))
    return resource
  }

  /** The report of the run so far, until `now` or the last event. Reports of nested runs are made first. */
  report(now = this.lastAt): Report {
    const until = new Map<Timeline, number>([[this, this.untilAt(now)]])
    // The iteration of a map also visits entries that are added meanwhile.
    for (const [run, end] of until) {
      for (const runs of run.inside.values()) for (const inside of runs) until.set(inside, inside.untilAt(end))
    }
    const reports = new Map<Timeline, Report>()
    for (const [run, end] of Array.from(until).reverse()) reports.set(run, run.toOwnReport(end, reports))
    return reports.get(this)!
  }

  private untilAt(now: number): number {
    return this.endedAt ?? Math.max(now, this.lastAt)
  }

  private toOwnReport(until: number, reports: ReadonlyMap<Timeline, Report>): Report {
    return {
      loader: this.loader,
      run: this.run,
      plan: this.plan,
      startedAt: this.startedAt,
      until,
      endedAt: this.endedAt,
      end: this.end,
      timedOut: this.end === "TimedOut",
      resources: Array.from(this.resources.values(), (resource) => this.toReport(resource, until, reports)),
      values: {}
    }
  }

  private toReport(timeline: ResourceTimeline, until: number, reports: ReadonlyMap<Timeline, Report>): ResourceReport {
    const { attempts, caches, chosen, endedAt, items, notUndone, outcome, readyAt, refusals, resource, startedAt } =
      timeline
    const runs = this.inside.get(resource)
    const phases = timeline.phases(until, this.lastDependency)
    return {
      resource,
      outcome,
      attempts,
      readyAt,
      startedAt,
      endedAt,
      running: timeIn(phases, ["Attempt", "Items", "Fallback"]),
      queued: timeIn(phases, limits),
      ...(refusals === 0 ? {} : { refusals }),
      ...(items === undefined ? {} : { items: { ...items } }),
      ...(chosen === undefined ? {} : { chosen }),
      ...(caches === undefined ? {} : { caches: [...caches.values()] }),
      ...(runs === undefined ? {} : { runs: runs.map((run) => reports.get(run)!) }),
      phases,
      ...(notUndone.length === 0 ? {} : { notUndone: notUndone.slice() })
    }
  }

  /** The dependency that ended the wait of a resource: the one that skipped it, or else loaded last, or had not loaded at `at`. */
  private readonly lastDependency = (resource: string, at: number): string | undefined => {
    const names = this.dependencies.get(resource) ?? []
    const own = this.resources.get(resource)
    // What is skipped does not wait for its other dependencies, so they may end later.
    const failed = own?.endedAt === at ? own.skippedFor : undefined
    const skipping = failed && names.find((name) => name === failed || this.resources.get(name)?.skippedFor === failed)
    if (skipping !== undefined) return skipping
    let last: ResourceTimeline | undefined
    const when = ({ endedAt = Infinity }: ResourceTimeline): number => Math.min(endedAt, at)
    for (const name of names) {
      const dependency = this.resources.get(name)
      if (dependency !== undefined && (last === undefined || when(dependency) > when(last))) last = dependency
    }
    return last?.resource
  }
}

/**
 * Makes the report of a run from its events, also while it is still running. The run is that of the first `RunStarted`; its
 * nested runs are reported with their resources, and events of other runs are ignored. `undefined` if there is no run.
 *
 * - `now`: the end of phases that are still in progress, in milliseconds since 1970. Default: the last event.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Observer, Report, Resource, type RunEvent } from "effect-loader"
 *
 * const org = Resource.make("org", { load: () => Effect.succeed("acme") })
 * const events: Array<RunEvent.RunEvent> = []
 *
 * Effect.runSync(Observer.observe(Loader.load(Loader.make({ org })), (event) => events.push(event)))
 * console.log(Report.fromEvents(events)?.resources.length) // 1
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromEvents = (events: Iterable<RunEvent>, options?: { readonly now?: number }): Report | undefined => {
  const timelines = new Map<number, Timeline>()
  let first: Timeline | undefined
  for (const event of events) {
    if (event._tag === "RunStarted") {
      const outer = event.parent === undefined ? undefined : timelines.get(event.parent.run)
      if (first !== undefined && outer === undefined) continue
      const timeline = new Timeline(event)
      timelines.set(event.run, timeline)
      first ??= timeline
      outer?.addInside(event.parent!.resource, timeline)
    }
    timelines.get(event.run)?.add(event)
  }
  return first?.report(options?.now)
}
