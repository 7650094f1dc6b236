/**
 * What is open: a ledger that resources write into, so that a test can say what they left behind.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as RunLocal from "../base/RunLocal.ts"
import type { Plan } from "../compile/Plan.ts"
import { newKey, withWatch } from "../watch/Watching.ts"

/** Which attempt holds something, where it is known. */
interface Holder {
  readonly plan: Plan
  readonly resource: string
  readonly attempt: number | undefined
}

const CurrentHolder = /* @__PURE__ */ RunLocal.make<Holder | undefined>("testing/Holder", () => undefined)

/** One thing that was acquired, and when it was released, in turns of its ledger. */
interface Acquisition {
  readonly name: string
  readonly acquired: number
  readonly releases: Array<number>
  /** Who holds it in a scope; `undefined` for what has no place in an order. */
  readonly holder: Holder | undefined
}

/**
 * What was acquired and released, in order.
 *
 * @since 0.1.0
 * @category models
 */
export interface Ledger {
  /** What is open now: acquired, and not released. */
  readonly open: ReadonlyArray<string>
  /** How many things were acquired so far. */
  readonly acquired: number
}

class Acquisitions implements Ledger {
  entries: Array<Acquisition> = []
  private turn = 0

  get open(): ReadonlyArray<string> {
    return this.entries.flatMap(({ name, releases }) => (releases.length === 0 ? [name] : []))
  }

  get acquired(): number {
    return this.entries.length
  }

  acquire(name: string, holder: Holder | undefined): Acquisition {
    const entry = { name, acquired: this.turn++, releases: [], holder }
    this.entries.push(entry)
    return entry
  }

  release(entry: Acquisition): void {
    entry.releases.push(this.turn++)
  }
}

const acquisitionsOf = (self: Ledger): Acquisitions => self as Acquisitions

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
 * Acquires something, which is released with the scope: as a connection is, or a lease.
 *
 * What a resource holds has to be released before anything that its dependencies hold.
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
 * Acquires something, and releases it when the effect has ended, however it did.
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

/**
 * Forgets everything.
 *
 * @internal
 */
export const clear = (self: Ledger): void => {
  acquisitionsOf(self).entries = []
}

/**
 * Runs an effect so that its ledgers know which resource holds what.
 *
 * @internal
 */
export const watched = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
  const watch = () => {
    let plan: Plan | undefined
    return {
      onEvent: (event: { readonly _tag: string; readonly plan?: Plan }) => void (plan ??= event.plan),
      within: (context: Context.Context<never>, resource: string, attempt: number | undefined) =>
        Context.add(context, CurrentHolder, plan && { plan, resource, attempt })
    }
  }
  return Effect.updateContext(
    self,
    (context) => withWatch(context as Context.Context<never>, newKey(), watch) as Context.Context<R>
  )
}

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

/** Why `later` has to be released before `earlier`, if it has to. */
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
 * What is wrong with what was acquired, in words: what was never released, or more than once, or before something that
 * needed it. Empty where everything is well.
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
