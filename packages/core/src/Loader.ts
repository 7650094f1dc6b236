/**
 * Loaders: targets compiled once, run many times.
 *
 * @since 0.1.0
 */
import { dual } from "effect/Function"
import { explainPlan, type Expectations, type Explanation } from "./observe/Explanation.ts"
import type { AnyLoader } from "./loader/Compiled.ts"
import { isLoader, plan } from "./loader/Loader.ts"

export {
  compile,
  type Error,
  type Input,
  isLoader,
  load,
  type Loader,
  loadReversible,
  loadWithReport,
  make,
  onExit,
  type Options,
  plan,
  type Reported,
  type Reversible,
  type Services,
  settle,
  type Success
} from "./loader/Loader.ts"
export type { AnyLoader as Any } from "./loader/Compiled.ts"
export { merge, type MergeOptions, override, type Replacement, withValues } from "./loader/Override.ts"
export { toLayer } from "./loader/ToLayer.ts"
export { Service, type ServiceClass } from "./loader/Service.ts"

/**
 * Predicts a run without running it: its batches, limits, policies, critical path and duration.
 *
 * - `expected`, `reports`: how long resources take, given or learned from earlier runs: see {@link Expectations}.
 *
 * Throws an `IllegalArgumentError` for a resource that the loader does not load, or a duration that is not finite.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * const org = Resource.make("org", { load: () => Effect.succeed("acme") })
 * const members = Resource.make("members", { deps: { org }, load: () => Effect.succeed(["ada"]) })
 * const page = Loader.make({ members })
 *
 * const { atMost, criticalPath } = Loader.explain(page, { expected: { org: 100, members: 60 } })
 * console.log(atMost, criticalPath) // 160 [ "org", "members" ]
 * ```
 *
 * @since 0.1.0
 * @category getters
 */
export const explain: {
  (self: AnyLoader, expectations?: Expectations): Explanation
  (expectations?: Expectations): (self: AnyLoader) => Explanation
} = /* @__PURE__ */ dual(
  (args) => isLoader(args[0]),
  (self: AnyLoader, expectations: Expectations = {}) => explainPlan(plan(self), expectations)
)
