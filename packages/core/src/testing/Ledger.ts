/**
 * A ledger of acquisitions and releases, with which a test proves that resources leave nothing open.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Plan } from "../compile/Plan.ts"
import { type Acquisition, Acquisitions, acquisitionsOf, CurrentHolder } from "./Acquisitions.ts"

/**
 * Acquisitions and releases, in order.
 *
 * @since 0.1.0
 * @category models
 */
export interface Ledger {
  /** The names of the acquisitions that are not released. */
  readonly open: ReadonlyArray<string>
  /** The number of acquisitions so far. */
  readonly acquired: number
}

/**
 * An empty ledger.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 * import { Interruption, Ledger } from "effect-loader/testing"
 *
 * const ledger = Ledger.make()
 * const connection = Resource.make("connection", { load: () => Ledger.hold(ledger, "connection") })
 * const rows = Resource.make("rows", {
 *   deps: { connection },
 *   load: () => Ledger.use(ledger, "cursor", Effect.as(Effect.sleep("5 millis"), ["ada"]))
 * })
 * const page = Loader.make({ rows })
 *
 * // It fails, and says when and what, if anything is left behind.
 * const runs = Interruption.atEveryStep((probed) => Loader.load(probed(page)), { ledger })
 * Effect.runPromise(runs).then((times) => console.log(times > 5)) // true
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (): Ledger => new Acquisitions()

const acquire = (self: Ledger, name: string, inScope: boolean): Effect.Effect<Acquisition> =>
  Effect.withFiber((fiber) =>
    Effect.succeed(acquisitionsOf(self).acquire(name, inScope ? fiber.getRef(CurrentHolder) : undefined))
  )

const release = (self: Ledger, entry: Acquisition): Effect.Effect<void> =>
  Effect.sync(() => acquisitionsOf(self).release(entry))

/**
 * Notes an acquisition that is released with the scope, like a connection or a lease.
 *
 * The acquisitions of a resource must be released before those of its dependencies.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 * import { Ledger } from "effect-loader/testing"
 *
 * const ledger = Ledger.make()
 * const pool = Resource.make("pool", { load: () => Ledger.hold(ledger, "connection") })
 *
 * const problems = Effect.sync(() => Ledger.problems(ledger).length)
 * const inside = Effect.scoped(Effect.andThen(Loader.load(Loader.make({ pool })), problems))
 * console.log(Effect.runSync(inside), Effect.runSync(problems)) // 1 0
 * ```
 *
 * @since 0.1.0
 * @category recording
 */
export const hold = (self: Ledger, name: string): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(Effect.acquireRelease(acquire(self, name, true), (entry) => release(self, entry)))

/**
 * Notes an acquisition that is released at the end of the effect, for any exit.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Ledger } from "effect-loader/testing"
 *
 * const ledger = Ledger.make()
 * const query = Ledger.use(ledger, "cursor", Effect.fail("no such table"))
 *
 * Effect.runSync(Effect.exit(query))
 * console.log(Ledger.problems(ledger)) // []
 * ```
 *
 * @since 0.1.0
 * @category recording
 */
export const use = <A, E, R>(self: Ledger, name: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    acquire(self, name, false),
    () => effect,
    (entry) => release(self, entry)
  )

const countProblem = ({ name, releases }: Acquisition): ReadonlyArray<string> => {
  if (releases.length === 1) return []
  return [`"${name}" was ${releases.length === 0 ? "never released" : `released ${releases.length} times`}`]
}

const needs = (plan: Plan, resource: string, other: string): boolean => {
  const dependencies = new Map(plan.resources.map(({ dependencies, name }) => [name, dependencies]))
  const seen = new Set<string>()
  const open = [resource]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const dependency of dependencies.get(next) ?? []) {
      if (dependency === other) return true
      if (!seen.has(dependency)) open.push(dependency)
      seen.add(dependency)
    }
  }
  return false
}

/** Why `later` must be released before `earlier`; `undefined` if it need not be. */
const orderOf = (earlier: Acquisition, later: Acquisition): string | undefined => {
  const [a, b] = [earlier.holder, later.holder]
  if (a === undefined || b === undefined || a.plan !== b.plan) return undefined
  if (a.resource === b.resource) return a.attempt === b.attempt ? "acquired after it" : undefined
  return needs(b.plan, b.resource, a.resource) ? `which "${b.resource}" holds and needs "${a.resource}" for` : undefined
}

const orderProblems = (entries: ReadonlyArray<Acquisition>): ReadonlyArray<string> =>
  entries.flatMap((later, k) =>
    entries.slice(0, k).flatMap((earlier) => {
      const [first = Infinity] = earlier.releases
      const [last = Infinity] = later.releases
      if (first >= last || first < later.acquired) return []
      const why = orderOf(earlier, later)
      return why === undefined ? [] : [`"${earlier.name}" was released before "${later.name}", ${why}`]
    })
  )

/**
 * The problems of a ledger, in words: acquisitions that were never released, released twice, or released before others
 * that need them. Empty if there are none.
 *
 * @example
 * ```ts
 * import { Effect, Scope } from "effect"
 * import { Ledger } from "effect-loader/testing"
 *
 * const ledger = Ledger.make()
 * const scope = Scope.makeUnsafe()
 * Effect.runSync(Scope.provide(Ledger.hold(ledger, "seat"), scope))
 *
 * console.log(Ledger.problems(ledger)) // [ '"seat" was never released' ]
 * ```
 *
 * @since 0.1.0
 * @category checking
 */
export const problems = (self: Ledger): ReadonlyArray<string> => {
  const { entries } = acquisitionsOf(self)
  return [...entries.flatMap(countProblem), ...orderProblems(entries)]
}
