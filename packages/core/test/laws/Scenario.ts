/** Generated scenarios, and the same as real resources. */
import { Effect, Option } from "effect"
import { Loader, Policy, Resource } from "effect-loader"
import fc from "fast-check"
import type { Scenario, Task, Use } from "./NaiveRun.ts"
import { Schedule } from "effect"

const uses: ReadonlyArray<Use> = ["value", "value", "value", "after", "option", "optionOfAncestors", "optionOfCause"]

const task = (index: number): fc.Arbitrary<Task> =>
  fc
    .record({
      uses: fc.uniqueArray(fc.record({ on: fc.nat({ max: Math.max(0, index - 1) }), as: fc.constantFrom(...uses) }), {
        maxLength: index === 0 ? 0 : 4,
        selector: ({ on }) => on
      }),
      // Even instants, so that an interruption at an odd one meets nothing else.
      duration: fc.oneof(
        fc.constant(0),
        fc.integer({ min: 1, max: 500_000 }).map((half) => 2 * half)
      ),
      ends: fc.constantFrom<Task["ends"]>("well", "well", "well", "well", "fails", "dies"),
      failures: fc.constantFrom(0, 0, 0, 1, 2),
      retries: fc.constantFrom(0, 0, 1, 2),
      pause: fc.integer({ min: 1, max: 100_000 }).map((half) => 2 * half)
    })
    .map((made) => (made.duration === 0 ? { ...made, ends: "well" as const, failures: 0 } : made))

export const scenario: fc.Arbitrary<Scenario> = fc.integer({ min: 1, max: 9 }).chain((size) =>
  fc.record({
    tasks: fc.tuple(...Array.from({ length: size }, (_, i) => task(i))),
    targets: fc.uniqueArray(fc.nat({ max: size - 1 }), { minLength: 1, maxLength: 3 }),
    limit: fc.constantFrom(undefined, undefined, 1, 2, 3),
    failFast: fc.boolean(),
    interruptAt: fc.oneof(
      { weight: 3, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.nat({ max: 1_000_000 }).map((half) => 2 * half + 1) }
    )
  })
)

const show = (value: unknown): string =>
  Option.isOption(value)
    ? Option.match(value, { onNone: () => "None", onSome: (some) => `Some(${String(some)})` })
    : String(value)

const lens = (resource: Resource.Any, as: Use): Resource.Any => {
  if (as === "option") return resource.pipe(Resource.option)
  if (as === "optionOfCause") {
    return resource.pipe(
      Resource.map(Option.some),
      Resource.catchCause(() => Effect.succeedNone)
    )
  }
  return as === "optionOfAncestors" ? resource.pipe(Resource.option({ ancestors: true })) : resource
}

const toResource = (task: Task, index: number, before: ReadonlyArray<Resource.Any>): Resource.Any => {
  const read = task.uses.filter(({ as }) => as !== "after")
  const deps = Object.fromEntries(read.map(({ as, on }) => [`d${on}`, lens(before[on]!, as)]))
  const after = task.uses.flatMap(({ as, on }) => (as === "after" ? [before[on]!] : []))
  let attempts = 0
  const resource = Resource.make(String(index), {
    deps,
    after,
    load: (values) => {
      const value = `${index}(${Object.values(values).map(show).join(",")})`
      if (task.duration === 0) return Effect.sync(() => value)
      const attempt = ++attempts
      return Effect.flatMap(Effect.sleep(task.duration), (): Effect.Effect<string, string> => {
        if (task.ends === "dies") return Effect.die(`defect of ${index}`)
        return task.ends === "fails" || attempt <= task.failures
          ? Effect.fail(`error of ${index}`)
          : Effect.succeed(value)
      })
    }
  })
  if (task.retries === 0) return resource
  return resource.pipe(Policy.retry({ times: task.retries, schedule: Schedule.spaced(task.pause) }))
}

/** The loader of a scenario. Made anew for each run: its tasks count their attempts. */
export const toLoader = (
  { limit, targets, tasks }: Scenario,
  options: Pick<Loader.Options, "scheduling" | "concurrency"> = {}
): Loader.Loader<Record<string, string>, unknown> => {
  const resources: Array<Resource.Any> = []
  for (const task of tasks) resources.push(toResource(task, resources.length, resources))
  return Loader.make(Object.fromEntries(targets.map((i) => [`t${i}`, resources[i]!])), {
    concurrency: limit ?? "unbounded",
    ...options
  }) as Loader.Loader<Record<string, string>, unknown>
}
