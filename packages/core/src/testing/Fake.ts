/**
 * Resources for tests: that take their time, fail, die, hang, or fail first and work then. Each can stand in for a declared
 * one (`Loader.override`), and policies can be piped onto it.
 *
 * @since 0.1.0
 */
import { type Duration, Effect } from "effect"
import { type Any, type Deps, make, type Resource, type Success } from "../model/Resource.ts"

/**
 * The name of a fake: said, or that of the resource which it stands in for.
 *
 * @since 0.1.0
 * @category type-level
 */
export type NameOf<T extends string | Any> = T extends string
  ? T
  : T extends Resource<infer N, infer _A, infer _E, infer _R, infer _In>
    ? N
    : never

/**
 * What a fake may give: anything, or what the resource gives which it stands in for.
 *
 * @since 0.1.0
 * @category type-level
 */
export type ValueOf<T extends string | Any> = T extends Any ? Success<T> : unknown

/**
 * - `deps`: what has to be there before, as in `Resource.make`.
 * - `takes`: how long it takes to come to its end. By default it does so at once, without a fiber of its own.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<D extends Deps> {
  readonly deps?: D
  readonly takes?: Duration.Input
}

const nameOf = <const T extends string | Any>(of: T): NameOf<T> => (typeof of === "string" ? of : of.name) as NameOf<T>

const fake = <const T extends string | Any, A, E, const D extends Deps = {}>(
  of: T,
  load: Effect.Effect<A, E>,
  { deps, takes }: Options<D> = {}
) =>
  make(nameOf(of), {
    deps: () => deps ?? ({} as D),
    load: () => (takes === undefined ? load : Effect.andThen(Effect.sleep(takes), load))
  })

/**
 * A resource that takes so long, and then gives a value.
 *
 * - `of`: its name, or the resource that it stands in for.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 * import { Fake, RunLog, VirtualTime } from "effect-loader/testing"
 *
 * const org = Resource.make("org", { load: (): Effect.Effect<string> => Effect.die("no database in tests") })
 * const page = Loader.make({ org }).pipe(Loader.override(org, Fake.taking(org, "2 seconds", "acme")))
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
export const taking = <const T extends string | Any, A extends ValueOf<T>, const D extends Deps = {}>(
  of: T,
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
 * const page = Loader.make({ org }).pipe(Loader.override(org, Fake.failing(org, new NotFound({ id: "acme" }))))
 * console.log(Effect.runSync(Effect.flip(Loader.load(page))).error._tag) // NotFound
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const failing = <const T extends string | Any, E, const D extends Deps = {}>(
  of: T,
  error: E,
  options?: Options<D>
) => fake(of, Effect.fail(error), options)

/**
 * A resource that dies with a defect.
 *
 * @since 0.1.0
 * @category constructors
 */
export const dying = <const T extends string | Any, const D extends Deps = {}>(
  of: T,
  defect: unknown,
  options?: Options<D>
) => fake(of, Effect.die(defect), options)

/**
 * A resource that never comes to an end: only a limit or an interruption ends it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const hanging = <const T extends string | Any, const D extends Deps = {}>(
  of: T,
  options?: Pick<Options<D>, "deps">
) => fake(of, Effect.never, options)

/**
 * A resource whose first `times` attempts fail, and which then gives a value. It counts the attempts of all runs: make one
 * for each run that is to see it fail.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Policy } from "effect-loader"
 * import { Fake } from "effect-loader/testing"
 *
 * const flaky = Fake.failingTimes("flaky", 2, "busy", "there").pipe(Policy.retry({ times: 2 }))
 * Effect.runPromise(Loader.load(Loader.make({ flaky }))).then((page) => console.log(page)) // { flaky: "there" }
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const failingTimes = <const T extends string | Any, E, A extends ValueOf<T>, const D extends Deps = {}>(
  of: T,
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
