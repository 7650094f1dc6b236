/** Generated graphs against a naive model that imports nothing from the library. */
import { Effect, Exit } from "effect"
import { FailedResource, Loader, type ResourceError, type RunEvent } from "effect-loader"
import { TestClock } from "effect/testing"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { naiveRun, type End, type Scenario } from "./NaiveRun.ts"
import { observe } from "./observe.ts"
import { scenario, toLoader } from "./Scenario.ts"
import { withTime } from "../withTime.ts"

const cases = 2500

const skipText = (because: RunEvent.SkipReason): string => {
  if (because._tag === "DependencyFailed") return because.resource
  return because._tag === "RunFailed" ? `run:${because.resource}` : "interrupted"
}

const endOf = (event: RunEvent.RunEvent): Omit<End, "value"> | undefined => {
  switch (event._tag) {
    case "ResourceSucceeded":
      return { _tag: "Succeeded" }
    case "ResourceDegraded":
      return { _tag: "Degraded" }
    case "ResourceFailed":
      return { _tag: "Failed" }
    case "ResourceDied":
      return { _tag: "Died" }
    case "ResourceInterrupted":
      return { _tag: "Interrupted" }
    case "ResourceSkipped":
      return { _tag: "Skipped", because: skipText(event.because) } as End
    default:
      return undefined
  }
}

interface Life {
  readonly starts: ReadonlyArray<number>
  readonly endedAt: number | undefined
  readonly end: unknown
}

/** What the events say of each resource, with instants counted from the first event. */
const livesOf = (events: ReadonlyArray<RunEvent.RunEvent>): Record<string, Life> => {
  const lives: Record<string, Life> = {}
  for (const event of events) {
    if (!("resource" in event)) continue
    const life = (lives[event.resource] ??= { starts: [], endedAt: undefined, end: undefined })
    const at = Math.round(event.at - events[0]!.at)
    const end = endOf(event)
    if (event._tag === "AttemptStarted") lives[event.resource] = { ...life, starts: [...life.starts, at] }
    if (end !== undefined) {
      expect(life.end, `${event.resource} ends once`).toBeUndefined()
      // The instant of a skip that the end of the run brought is that end.
      lives[event.resource] = { ...life, endedAt: at, end }
    }
  }
  return lives
}

const mostAtOnce = (events: ReadonlyArray<RunEvent.RunEvent>): number => {
  const running = new Set<string>()
  let most = 0
  for (const event of events) {
    if (!("resource" in event)) continue
    if (event._tag === "AttemptStarted") running.add(event.resource)
    else if (event._tag !== "ResourceReady" && event._tag !== "ResourceQueued") running.delete(event.resource)
    most = Math.max(most, running.size)
  }
  return most
}

const property = (check: (given: Scenario) => Promise<void>) =>
  fc.assert(fc.asyncProperty(scenario, check), { numRuns: cases })

const settled = async (given: Scenario, options: Pick<Loader.Options, "scheduling" | "concurrency">) => {
  const program = withTime(Loader.settle(toLoader(given, options)))
  const report = await Effect.runPromise(program.pipe(Effect.provide(TestClock.layer())))
  return {
    values: report.values,
    outcomes: Object.fromEntries(report.resources.map((r) => [r.resource, r.outcome._tag]))
  }
}

describe("generated graphs", () => {
  it(
    "start, end, fail and are skipped at the instants and for the reasons that the model gives",
    { timeout: 300_000 },
    () =>
      property(async (given) => {
        const expected = naiveRun(given)
        fc.pre(!expected.ambiguous)
        const { events, exit } = await observe(given)
        const model = Object.fromEntries(
          Array.from(expected.lives, ([i, life]): [string, Life] => {
            const { value: _, ...end } = { value: "", ...life.end }
            return [String(i), { starts: life.starts, endedAt: life.endedAt ?? expected.endedAt, end }]
          })
        )
        expect(livesOf(events)).toEqual(model)
        expect(mostAtOnce(events)).toBeLessThanOrEqual(given.limit ?? Infinity)
        expect(Math.round(events.at(-1)!.at - events[0]!.at)).toBe(expected.endedAt)
        expect(events.at(-1)).toMatchObject({ _tag: "RunEnded", end: expected.end })
        if (expected.end === "Interrupted" && Exit.isFailure(exit)) {
          expect(Exit.hasInterrupts(exit)).toBe(true)
        } else if (expected.end === "Failed") {
          expect(failedBy(exit)).toEqual(expected.failedBy.map(String))
        } else if (!given.failFast) {
          expect(Exit.isSuccess(exit)).toBe(true)
        } else {
          const values = Object.fromEntries(
            given.targets.map((i) => [`t${i}`, (expected.lives.get(i)!.end as { readonly value: string }).value])
          )
          expect(exit).toEqual(Exit.succeed(values))
        }
      })
  )

  it("give equal values and outcomes eagerly, in batches and one by one", { timeout: 300_000 }, () =>
    property(async (given) => {
      // Where a defect and a typed failure both keep a resource from running, the first in time says which one it was.
      const first = given.tasks.some(({ uses }) => uses.some(({ as }) => as === "optionOfAncestors"))
      fc.pre(!(first && given.tasks.some(({ ends }) => ends === "dies")))
      const expected = await settled(given, {})
      expect(await settled(given, { scheduling: "batched" })).toEqual(expected)
      expect(await settled(given, { concurrency: 1 })).toEqual(expected)
      expect(await settled(given, { scheduling: "batched", concurrency: 2 })).toEqual(expected)
    })
  )
})

const failedBy = (exit: Exit.Exit<unknown, unknown>): ReadonlyArray<string> => {
  if (Exit.isSuccess(exit)) return []
  return exit.cause.reasons.map((reason) => {
    if (reason._tag === "Fail") return (reason.error as ResourceError<string, unknown>).resource
    return String(reason.annotations.get(FailedResource.key))
  })
}
