/** A choice between resources. */
import { type Any, declare, type Failure, type Input, type InputOf, lazily, type Resource } from "../model/Resource.ts"
import type { Services, Success } from "../model/Resource.ts"
import type { ResourceError } from "../model/ResourceError.ts"
import { matchKind, type MatchSource } from "./Choices.ts"
import type { MatchError } from "./MatchError.ts"

/** A resource that can decide: its values are keys of an object, as strings. */
export type Decider = Resource<string, string | number | boolean, unknown, unknown, never>

/** The cases of the values of a decider. */
export type CaseOf<On extends Decider> = `${Success<On>}`

/** Requires all cases, unless there is an `orElse`. */
export type Complete<Case extends string, Else> = [Else] extends [never] ? { readonly [K in Case]: Any } : unknown

/** Refuses cases that no value has. */
export type Exact<Cases, Case extends string> = {
  readonly [
    K in keyof Cases as `${K & (string | number)}` extends Case ? never : K
  ]: "the resource in `on` never has this value"
}

/** The error of a choice by an open type without an `orElse`. */
export type Unmatched<Name extends string, On, Else> = [Else] extends [never]
  ? string extends Success<On>
    ? ResourceError<Name, MatchError>
    : number extends Success<On>
      ? ResourceError<Name, MatchError>
      : never
  : never

/**
 * Declares a choice: the value of `on` decides which case loads; the value of the choice is that of the case.
 *
 * - `on`: a resource whose value is a string, a number or a boolean.
 * - `cases`: the resource for each of its values. For a union of literals or a boolean the types require all cases; for an open
 *   type a value without a case fails with a {@link MatchError}, unless there is an `orElse`.
 * - `orElse`: the resource for all values without a case.
 * - `after`: resources that load before it chooses, but whose values it does not need.
 *
 * Only the chosen resource and its dependencies load. Resources that only other cases need are skipped as `NotChosen`. The
 * types have the inputs, errors and services of all cases. When the chosen resource fails, dependents of the choice are
 * skipped. A choice does no work of its own: policies belong on the cases.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Report, Resource } from "effect-loader"
 *
 * const plan = Resource.input<"free" | "pro">()("plan")
 * const limits = Resource.make("limits", { load: () => Effect.succeed("10 builds a day") })
 * const invoice = Resource.make("invoice", { load: () => Effect.succeed("12 EUR") })
 * const footer = Resource.match("footer", { on: plan, cases: { free: limits, pro: invoice } })
 * const page = Loader.make({ footer })
 *
 * const report = Effect.runSync(Loader.settle(page, { plan: "pro" }))
 * console.log(report.values.footer) // 12 EUR
 * console.log(Report.outcome(report, "limits"))
 * // { _tag: "Skipped", because: { _tag: "NotChosen", resource: "footer" } }
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const match = <
  const Name extends string,
  On extends Decider,
  const Cases extends { readonly [case_: string]: Any },
  const Else extends Any = never,
  const After extends ReadonlyArray<Any> = []
>(
  name: Name,
  {
    after,
    cases,
    on,
    orElse
  }: {
    readonly on: On
    readonly cases: Cases & Complete<CaseOf<On>, Else> & Exact<Cases, CaseOf<On>>
    readonly orElse?: Else
    readonly after?: After | (() => After)
  }
): Resource<
  Name,
  Success<Cases[keyof Cases] | Else>,
  Failure<On | Cases[keyof Cases] | Else | After[number]> | Unmatched<Name, On, Else>,
  Services<On | Cases[keyof Cases] | Else | After[number]>,
  Input<On> & InputOf<Cases[keyof Cases] | Else> & InputOf<After[number]>,
  never
> =>
  declare(name, {
    kind: matchKind,
    deps: () => ({ on }),
    after: lazily<ReadonlyArray<unknown>>(after, []),
    cases,
    orElse
  } as MatchSource)
