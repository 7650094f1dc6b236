/**
 * Resources for tests: they take time, fail, die, hang, or fail first and succeed then. Each can replace a declared resource
 * (`Loader.override`), and policies can be piped onto it.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { durationOf } from "../base/DurationInput.ts"
import { type Deps, make, type Resource } from "../model/Resource.ts"

/**
 * The name of a fake, or the resource that it replaces, whose values are `B`.
 *
 * @since 0.1.0
 * @category models
 */
export type Target<Name extends string, B> = Name | Resource<Name, B, unknown, unknown, never>

/**
 * The dependencies and the time of a fake.
 *
 * - `deps`: its dependencies, as in `Resource.make`.
 * - `takes`: the time to its end. By default it ends at once, without a fiber of its own.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<D extends Deps> {
  readonly deps?: D
  readonly takes?: Duration.Input
}

const fake = <const Name extends string, A, E, const D extends Deps = {}>(
  of: Target<Name, unknown>,
  load: Effect.Effect<A, E>,
  { deps, takes }: Options<D> = {}
) => {
  const name = typeof of === "string" ? of : of.name
  const pause = takes === undefined ? undefined : durationOf(`Fake("${name}"): \`takes\``, takes)
  return make(name as Name, {
    deps: () => deps ?? ({} as D),
    load: () => (pause === undefined ? load : Effect.andThen(Effect.sleep(pause), load))
  })
}

/**
 * A resource that takes a duration, and then succeeds with a value.
 *
 * - `of`: its name, or the resource that it replaces.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 * import { Fake, RunLog, VirtualTime } from "effect-loader/testing"
 *
 * const org = Resource.make("org", { load: (): Effect.Effect<string> => Effect.die("no database in tests") })
 * const page = Loader.make({ org }).pipe(Loader.override(org, Fake.delay(org, "2 seconds", "acme")))
 *
 * const program = VirtualTime.run(RunLog.record(Loader.load(page)))
 * Effect.runPromise(program).then(({ events }) => console.log(RunLog.timeline(events)))
 * // "anonymous" took 2s
 * // ✓ org  0-2000
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const delay = <const Name extends string, B, A extends B, const D extends Deps = {}>(
  of: Target<Name, B>,
  takes: Duration.Input,
  value: A,
  options?: Pick<Options<D>, "deps">
) => fake(of, Effect.succeed(value), { ...options, takes })

/**
 * A resource that fails with a typed error.
 *
 * @example
 * ```ts
 * import { Data, Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 * import { Fake } from "effect-loader/testing"
 *
 * class NotFound extends Data.TaggedError("NotFound")<{ readonly id: string }> {}
 * const org = Resource.make("org", { load: () => Effect.succeed("acme") })
 *
 * const page = Loader.make({ org }).pipe(Loader.override(org, Fake.fail(org, new NotFound({ id: "acme" }))))
 * console.log(Effect.runSync(Effect.flip(Loader.load(page))).error._tag) // NotFound
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const fail = <const Name extends string, E, const D extends Deps = {}>(
  of: Target<Name, unknown>,
  error: E,
  options?: Options<D>
) => fake(of, Effect.fail(error), options)

/**
 * A resource that dies with a defect.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 * import { Fake } from "effect-loader/testing"
 *
 * const org = Resource.make("org", { load: () => Effect.succeed("acme") })
 * const page = Loader.make({ org }).pipe(Loader.override(org, Fake.die(org, new Error("a bug"))))
 *
 * const program = Effect.catchDefect(Loader.load(page), (defect) => Effect.succeed(String(defect)))
 * console.log(Effect.runSync(program)) // Error: a bug
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const die = <const Name extends string, const D extends Deps = {}>(
  of: Target<Name, unknown>,
  defect: unknown,
  options?: Options<D>
) => fake(of, Effect.die(defect), options)

/**
 * A resource that never ends by itself: only a time limit or an interruption ends it.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Policy } from "effect-loader"
 * import { Fake, VirtualTime } from "effect-loader/testing"
 *
 * const slow = Fake.hang("slow").pipe(Policy.timeout("1 hour"))
 * const program = VirtualTime.run(Effect.flip(Loader.load(Loader.make({ slow }))))
 * Effect.runPromise(program).then(({ error }) => console.log(error._tag)) // TimeoutError
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const hang = <const Name extends string, const D extends Deps = {}>(
  of: Target<Name, unknown>,
  options?: Pick<Options<D>, "deps">
) => fake(of, Effect.never, options)

/**
 * A resource whose first `times` attempts fail, and which then succeeds. It counts the attempts of all runs: make a new one for
 * each run that shall see the failures.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Policy } from "effect-loader"
 * import { Fake } from "effect-loader/testing"
 *
 * const flaky = Fake.failTimes("flaky", 2, "busy", "there").pipe(Policy.retry({ times: 2 }))
 * Effect.runPromise(Loader.load(Loader.make({ flaky }))).then((page) => console.log(page)) // { flaky: "there" }
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const failTimes = <const Name extends string, B, E, A extends B, const D extends Deps = {}>(
  of: Target<Name, B>,
  times: number,
  error: E,
  value: A,
  options?: Options<D>
) => {
  let attempts = 0
  const load: Effect.Effect<A, E> = Effect.suspend(() =>
    ++attempts <= times ? Effect.fail(error) : Effect.succeed(value)
  )
  return fake(of, load, options)
}
