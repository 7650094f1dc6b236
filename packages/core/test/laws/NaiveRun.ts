/**
 * What a run should do, worked out the slow and obvious way: one list of states, and a clock that jumps to the next
 * thing that happens. It knows the design and nothing of the library.
 */

export type Use = "value" | "after" | "option" | "optionOfAncestors" | "optionOfCause"

export interface Task {
  readonly uses: ReadonlyArray<{ readonly on: number; readonly as: Use }>
  /** How long one attempt takes; 0 is synchronous, and then it succeeds. */
  readonly duration: number
  readonly ends: "well" | "fails" | "dies"
  /** How many attempts end in a failure before the last word, and how many retries there may be. */
  readonly failures: number
  readonly retries: number
  readonly pause: number
}

export interface Scenario {
  readonly tasks: ReadonlyArray<Task>
  readonly targets: ReadonlyArray<number>
  readonly limit: number | undefined
  readonly failFast: boolean
  readonly interruptAt: number | undefined
}

export type End =
  | { readonly _tag: "Succeeded"; readonly value: string }
  | { readonly _tag: "Degraded" }
  | { readonly _tag: "Failed" }
  | { readonly _tag: "Died" }
  | { readonly _tag: "Interrupted" }
  | { readonly _tag: "Skipped"; readonly because: string }

export interface Lived {
  readonly starts: ReadonlyArray<number>
  readonly endedAt: number | undefined
  readonly end: End
}

export interface Outcome {
  /** By task number; only the tasks that the targets need. */
  readonly lives: ReadonlyMap<number, Lived>
  readonly endedAt: number
  readonly end: "Completed" | "Failed" | "Interrupted"
  /** The tasks whose failure the load fails with. */
  readonly failedBy: ReadonlyArray<number>
  readonly mostAtOnce: number
  /** Whether two things happened at one instant, so that their order is anybody's guess. */
  readonly ambiguous: boolean
}

interface State {
  starts: Array<number>
  attemptsDone: number
  phase: "pending" | "queued" | "running" | "pausing" | "done"
  next: number
  endedAt: number | undefined
  end: End | undefined
}

/** Declaration order: targets from first to last, each one's dependencies before it, what it reads before what it is after. */
const declared = ({ targets, tasks }: Scenario): ReadonlyArray<number> => {
  const order: Array<number> = []
  const visit = (i: number): void => {
    if (order.includes(i)) return
    const { uses } = tasks[i]!
    for (const { as, on } of uses) if (as !== "after") visit(on)
    for (const { as, on } of uses) if (as === "after") visit(on)
    order.push(i)
  }
  for (const target of targets) visit(target)
  return order
}

export const naiveRun = (scenario: Scenario): Outcome => {
  const { tasks, targets } = scenario
  const order = declared(scenario)
  const usersOf = (i: number): ReadonlyArray<{ readonly by: number; readonly as: Use }> =>
    order.flatMap((by) => tasks[by]!.uses.flatMap(({ as, on }) => (on === i ? [{ by, as }] : [])))
  const rank = (i: number): number => 1 + Math.max(0, ...usersOf(i).map(({ by }) => rank(by)))
  const skipReachesTarget = (i: number): boolean =>
    targets.includes(i) || usersOf(i).some(({ as, by }) => as !== "optionOfAncestors" && skipReachesTarget(by))
  const failureReachesTarget = (i: number): boolean =>
    targets.includes(i) || usersOf(i).some(({ as, by }) => (as === "value" || as === "after") && skipReachesTarget(by))

  const defectReachesTarget = (i: number): boolean =>
    targets.includes(i) || usersOf(i).some(({ as }) => as !== "optionOfCause")

  const states = new Map<number, State>(
    order.map((i) => [
      i,
      { starts: [], attemptsDone: 0, phase: "pending", next: 0, endedAt: undefined, end: undefined }
    ])
  )
  const state = (i: number): State => states.get(i)!
  const typedFailure = new Set<number>()
  const failedBy: Array<number> = []
  let now = 0
  let end: Outcome["end"] | undefined
  let mostAtOnce = 0
  let ambiguous = false

  const finish = (i: number, how: End): void => {
    Object.assign(state(i), { phase: "done", endedAt: now, end: how })
  }
  /** Whether the use of a dependency is satisfied by how that one ended. */
  const satisfied = ({ as, on }: { readonly on: number; readonly as: Use }): boolean => {
    const how = state(on).end
    if (how === undefined) return false
    if (how._tag === "Succeeded") return true
    if (how._tag === "Died") return as === "optionOfCause"
    if (how._tag === "Failed" || how._tag === "Degraded") return as !== "value" && as !== "after"
    return how._tag === "Skipped" && as === "optionOfAncestors" && typedFailure.has(Number(how.because))
  }
  const skipUsers = (i: number, root: number): void => {
    for (const { by } of usersOf(i)) {
      const use = tasks[by]!.uses.filter(({ on }) => on === i)
      if (state(by).end !== undefined || use.every(satisfied)) continue
      finish(by, { _tag: "Skipped", because: String(root) })
      skipUsers(by, root)
    }
  }
  const valueOf = (i: number): string => {
    const parts = tasks[i]!.uses.flatMap(({ as, on }) => {
      const how = state(on).end!
      if (as === "after") return []
      if (as === "value") return [how._tag === "Succeeded" ? how.value : "?"]
      return [how._tag === "Succeeded" ? `Some(${how.value})` : "None"]
    })
    return `${i}(${parts.join(",")})`
  }
  const stop = (how: "Failed" | "Interrupted"): void => {
    end = how
    for (const i of order) {
      const { phase } = state(i)
      if (phase === "running" || phase === "pausing" || (phase === "queued" && state(i).starts.length > 0)) {
        finish(i, { _tag: "Interrupted" })
      }
    }
  }
  const conclude = (i: number, how: "Failed" | "Died"): void => {
    finish(i, { _tag: how })
    if (how === "Failed") typedFailure.add(i)
    if (scenario.failFast && (how === "Died" ? defectReachesTarget(i) : failureReachesTarget(i))) {
      failedBy.push(i)
      return stop("Failed")
    }
    skipUsers(i, i)
  }
  const attemptOver = (i: number): void => {
    const task = tasks[i]!
    const attempt = ++state(i).attemptsDone
    if (task.ends === "dies") return conclude(i, "Died")
    const fails = task.ends === "fails" || attempt <= task.failures
    if (!fails) return finish(i, { _tag: "Succeeded", value: valueOf(i) })
    if (attempt > task.retries) return conclude(i, "Failed")
    Object.assign(state(i), { phase: "pausing", next: now + task.pause })
  }
  const running = (): ReadonlyArray<number> => order.filter((i) => state(i).phase === "running")
  const queued = (): ReadonlyArray<number> =>
    order
      .filter((i) => state(i).phase === "queued")
      .sort((a, b) => rank(b) - rank(a) || order.indexOf(a) - order.indexOf(b))
  const queueReady = (): void => {
    for (const i of order) {
      if (state(i).phase === "pending" && tasks[i]!.uses.every(satisfied)) state(i).phase = "queued"
    }
  }
  const startAll = (): void => {
    for (;;) {
      queueReady()
      const [i] = queued()
      if (i === undefined || running().length >= (scenario.limit ?? Infinity)) return
      Object.assign(state(i), { phase: "running", next: now + tasks[i]!.duration })
      state(i).starts.push(now)
      mostAtOnce = Math.max(mostAtOnce, running().length)
      if (tasks[i]!.duration === 0) attemptOver(i)
    }
  }

  startAll()
  while (end === undefined) {
    const timed = order.filter((i) => state(i).phase === "running" || state(i).phase === "pausing")
    if (timed.length === 0) break
    const next = Math.min(...timed.map((i) => state(i).next))
    if (scenario.interruptAt !== undefined && scenario.interruptAt < next) {
      now = scenario.interruptAt
      stop("Interrupted")
      break
    }
    now = next
    const due = timed.filter((i) => state(i).next === now)
    if (due.length > 1) ambiguous = true
    const i = due[0]!
    if (state(i).phase === "pausing") state(i).phase = "queued"
    else attemptOver(i)
    if (end === undefined) startAll()
  }

  const because = end === "Failed" ? `run:${failedBy[0]}` : "interrupted"
  const lives = new Map(
    order.map((i): [number, Lived] => {
      const { end: how, endedAt, starts } = state(i)
      const strictlyUsed =
        targets.includes(i) || usersOf(i).some(({ as, by }) => (as === "value" || as === "after") && by !== i)
      const degraded = how?._tag === "Died" ? !defectReachesTarget(i) : how?._tag === "Failed" && !strictlyUsed
      return [i, { starts, endedAt, end: degraded ? { _tag: "Degraded" } : (how ?? { _tag: "Skipped", because }) }]
    })
  )
  return { lives, endedAt: now, end: end ?? "Completed", failedBy, mostAtOnce, ambiguous }
}
