import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import type { LimitExceeded } from "../limiter/LimitExceeded.ts"
import { Held } from "../base/Held.ts"
import { valueText } from "../base/ValueText.ts"
import { surface } from "../base/Refusal.ts"
import { limitedAttempts } from "./LimitedAttempts.ts"
import { limiting } from "./RunPermits.ts"
import { type Limiter, permitsOf } from "../limiter/Permits.ts"
import { sourceIn } from "../limiter/HeldPermits.ts"
import { fromLayers } from "../attempt/FromLayers.ts"
import { takesPermits } from "../attempt/Layering.ts"
import type { Policy } from "../model/Policy.ts"
import { protection } from "../model/Protection.ts"

/** The text that TypeScript shows for any other value. An alias, since an overload with a literal would be tried first. */
export type ClassOfLimiter = "the class of a limiter, Policy.limit(Postgres): provide its layer to the program"

const runsInside =
  "what runs inside takes permits itself, and would wait for these: pipe it onto the resources of the loader inside"
const several = "an attempt that holds permits of one limiter must not wait for those of another: keep one of them"

/**
 * Limits attempts by a limiter: each attempt runs with permits of it. All users of the limiter share its limit.
 *
 * - `permits`: the number of permits per attempt, a whole number. Default 1. More than the limiter can ever have is a defect.
 *
 * Wherever it is piped, the permits are taken around one attempt: not while dependencies load and not during the pause of a
 * retry. A `timeout` of the attempt starts when it has them. While it waits for permits it holds no slot of the loader's
 * `concurrency`. In a `forEach` each item takes permits. A refusal is the resource's own error `LimitExceeded`: policies piped
 * after the limit see it, so a fallback can replace it and a retry can try again.
 *
 * A resource can take permits of one limiter. Nested work of an attempt that holds permits, such as another loader, borrows
 * them, one attempt at a time.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Limiter, Loader, Policy, Resource } from "effect-loader"
 *
 * class Postgres extends Limiter.Service<Postgres>()("app/Postgres") {}
 *
 * const org = Resource.make("org", { load: () => Effect.succeed("acme") }).pipe(
 *   Policy.timeout("500 millis"),
 *   Policy.limit(Postgres)
 * )
 * const program = Loader.load(Loader.make({ org })).pipe(Effect.provide(Postgres.layerAdaptive({ max: 100 })))
 * Effect.runPromise(program).then(({ org }) => console.log(org)) // acme
 * ```
 *
 * @since 0.1.0
 * @category policies
 */
export const limit: {
  <Self>(limiter: Context.Key<Self, Limiter>, options?: { readonly permits?: number }): Policy<LimitExceeded, Self>
  (limiter: ClassOfLimiter): never
} = (key: unknown, { permits = 1 }: { readonly permits?: number } = {}): never => {
  if (!(Number.isInteger(permits) && permits >= 1)) {
    throw new Cause.IllegalArgumentError(`Policy.limit: \`permits\` must be a whole number from 1, got ${permits}`)
  }
  if (!Context.isKey(key)) {
    throw new Cause.IllegalArgumentError(`Policy.limit needs the class of a limiter, got ${valueText(key)}`)
  }
  const limiter = key as Context.Key<unknown, Limiter>
  const name = limiter.key.slice(limiter.key.lastIndexOf("/") + 1)
  const label = permits === 1 ? `limit(${name})` : `limit(${name}, ${permits})`
  return fromLayers([
    {
      kind: "limit",
      label,
      repeats: false,
      continues: false,
      refused: undefined,
      takes: {
        limiter: limiter as Context.Key<unknown, unknown>,
        count: permits,
        extension: limiting,
        taking: limitedAttempts
      },
      protects: protection(label, {
        key: limiter as Context.Key<unknown, unknown>,
        around: (limiter, self, resource) => (limiter as Limiter).withPermit(self, { permits, resource }),
        // A caller that borrows permits shares no calls: the lender would wait for a call that itself waits for permits.
        sharedBy: (limiter, context) => sourceIn(Context.get(context, Held), permitsOf(limiter as Limiter))
      }),
      misplaced: ({ loader }, inside) => {
        if (loader !== undefined) return runsInside
        return inside.some(takesPermits) ? several : undefined
      },
      wrap: (self) => surface(self, label)
    }
  ]) as never
}
