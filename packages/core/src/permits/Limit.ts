import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import type { LimitExceeded } from "../limiter/LimitExceeded.ts"
import { Held } from "../base/Held.ts"
import { surface } from "../base/Refusal.ts"
import { limiting } from "./RunPermits.ts"
import { type Limiter, permitsOf } from "../limiter/Permits.ts"
import { sourceIn } from "../limiter/HeldPermits.ts"
import { fromLayers } from "../attempt/FromLayers.ts"
import type { Policy } from "../model/Policy.ts"
import { protection } from "../model/Protection.ts"

/**
 * Lets each attempt run only with permits of a limiter, which it shares with all that uses that limiter.
 *
 * - `permits`: how many each attempt takes, a whole number. Default 1; more than the limiter can ever have is a defect.
 *
 * Wherever it is piped, the permits are taken outside of one attempt: not while dependencies are loaded, not while a
 * retry waits, and a `timeout` of the attempt starts when it has them. While it waits for them it holds no slot of the
 * loader's `concurrency`. On a `forEach` each item takes them. A refusal is the resource's own error `LimitExceeded`,
 * which what is piped after it sees: a fallback can take its place, a retry can try again.
 *
 * A resource can take permits of one limiter. What an attempt that holds permits runs inside itself, such as another
 * loader, borrows them, one attempt at a time.
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
export const limit = <Self>(
  limiter: Context.Key<Self, Limiter>,
  { permits = 1 }: { readonly permits?: number } = {}
): Policy<LimitExceeded, Self> => {
  if (!(Number.isInteger(permits) && permits >= 1)) {
    throw new Cause.IllegalArgumentError(`Policy.limit: \`permits\` must be a whole number from 1, got ${permits}`)
  }
  const name = limiter.key.slice(limiter.key.lastIndexOf("/") + 1)
  const label = permits === 1 ? `limit(${name})` : `limit(${name}, ${permits})`
  return fromLayers([
    {
      kind: "limit",
      label,
      repeats: false,
      continues: false,
      refused: undefined,
      takes: { limiter: limiter as Context.Key<unknown, unknown>, count: permits, extension: limiting },
      protects: protection(label, {
        key: limiter as Context.Key<unknown, unknown>,
        around: (limiter, self, resource) => (limiter as Limiter).withPermit(self, { permits, resource }),
        // A caller that borrows permits does not share calls with others: who lends would wait for a call that waits for permits.
        sharedBy: (limiter, context) => sourceIn(Context.get(context, Held), permitsOf(limiter as Limiter))
      }),
      wrap: (self) => surface(self, label)
    }
  ])
}
