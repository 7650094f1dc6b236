/**
 * Policies, and how to compose them.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import { valueText } from "../base/ValueText.ts"
import type { Layer } from "./Node.ts"
import { type AddError, type Any, isResource, type OwnError, type Resource, withLayers } from "./Resource.ts"

const TypeId = "~effect-loader/Policy"

/**
 * The description of one part of a policy: `{ kind: "timeout", label: "timeout(500ms)" }`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Part {
  readonly kind: string
  readonly label: string
}

/** How a policy reads errors. TypeScript shows the text where an error must be `unknown` but is not. */
export interface ReadsErrors<E0> {
  readonly "~error":
    | ((error: E0) => void)
    | (unknown extends E0
        ? "it has to fit every resource: read the error as unknown, { while: (error: unknown) => ... }"
        : never)
}

/**
 * A labelled function from resource to resource that keeps the type of the value.
 *
 * `PE`: the errors that it can add to the resource's own, `PR`: the services that it needs. Last piped is outermost, as with
 * Effect's combinators: `timeout` before `retry` limits one attempt, after it the whole.
 *
 * @since 0.1.0
 * @category models
 */
export interface Policy<out PE = never, out PR = never> extends ReadsErrors<unknown> {
  <N extends string, A, E, R, In, U>(
    self: Resource<N, A, E, R, In, U>
  ): Resource<N, A, AddError<N, E, PE>, R | PR, In, U>
  readonly [TypeId]: { readonly _E: () => PE; readonly _R: () => PR }
  /** Its parts, innermost first. */
  readonly parts: ReadonlyArray<Part>
}

/**
 * A policy that reads the resource's own error. It accepts resources whose own error is assignable to `E0`. `PR`: the
 * services that it needs. One that reads `unknown` is a {@link Policy}.
 *
 * @since 0.1.0
 * @category models
 */
export interface PolicyFor<E0, out PR = never> extends ReadsErrors<E0> {
  <N extends string, A, E, R, In, U>(
    self: Resource<N, A, E, R, In, U> &
      ([OwnError<N, E>] extends [E0] ? unknown : { readonly "~unhandled": OwnError<N, E> })
  ): Resource<N, A, E, R | PR, In, U>
  readonly [TypeId]: { readonly _E: () => never; readonly _R: () => PR }
  readonly parts: ReadonlyArray<Part>
}

/**
 * Refuses a resource without a key if its load needs services `U` beyond the services `S` that all callers share. Types that
 * are not inferred yet are accepted.
 *
 * @since 0.1.0
 * @category type-level
 */
export type Sharing<U, S> = unknown extends U
  ? unknown
  : [U] extends [S]
    ? unknown
    : { readonly "~give it a `key`: without one, its value may not depend on services of the caller": Exclude<U, S> }

/**
 * A policy that shares values between callers. It accepts resources that have a `key`, or whose own load needs no services
 * beyond `S`.
 *
 * @since 0.1.0
 * @category models
 */
export interface PolicyForKeyed<out PE, out PR, S> extends ReadsErrors<unknown> {
  <N extends string, A, E, R, In, U>(
    self: Resource<N, A, E, R, In, U> & Sharing<U, S>
  ): Resource<N, A, AddError<N, E, PE>, R | PR, In, U>
  readonly [TypeId]: { readonly _E: () => PE; readonly _R: () => PR; readonly _S: () => S }
  readonly parts: ReadonlyArray<Part>
}

/**
 * A policy for resources whose values are exactly of type `A0`. It shares values as a {@link PolicyForKeyed} does.
 *
 * @since 0.1.0
 * @category models
 */
export interface PolicyOf<in out A0, out PR = never, S = unknown> {
  <N extends string, A, E, R, In, U>(
    self: Resource<N, A, E, R, In, U> &
      (Same<A, A0> extends true ? unknown : { readonly "~not a value of": A0 }) &
      Sharing<U, S>
  ): Resource<N, A, E, R | PR, In, U>
  readonly "~value": (value: A0) => A0
  readonly "~services": () => PR
  readonly "~shares": () => S
  readonly parts: ReadonlyArray<Part>
}

export type Same<A, B> = [A, B] extends [B, A] ? true : false

/**
 * The errors that a policy can add to a resource's own error.
 *
 * @since 0.1.0
 * @category type-level
 */
export type PolicyError<P> = P extends { readonly [TypeId]: { readonly _E: () => infer PE } } ? PE : never

/**
 * The services that a policy needs.
 *
 * @since 0.1.0
 * @category type-level
 */
export type PolicyServices<P> = P extends { readonly [TypeId]: { readonly _R: () => infer PR } } ? PR : never

/** The services that all of these policies share. */
export type Shared<P> = (P extends PolicyForKeyed<infer _PE, infer _PR, infer S> ? (_: S) => void : never) extends (
  _: infer S
) => void
  ? S
  : never

/** Any policy but one that reads errors of a type, or values. */
export type Composable =
  | Policy<unknown, unknown>
  | PolicyForKeyed<unknown, unknown, unknown>
  | PolicyFor<unknown, unknown>

export type Composed<P, PE, PR> = [Extract<P, PolicyForKeyed<unknown, unknown, unknown>>] extends [never]
  ? Policy<PE, PR>
  : PolicyForKeyed<PE, PR, Shared<P>>

/** A policy of these layers, innermost first. The caller states its types. */
export const policyOf = <PE, PR>(parts: ReadonlyArray<Layer>): Policy<PE, PR> => {
  const apply = (self: Any): Any => {
    if (isResource(self)) return withLayers(self, parts)
    throw new Cause.IllegalArgumentError(`a policy is piped onto a resource, got ${valueText(self)}`)
  }
  return Object.assign(apply, { [TypeId]: TypeId, parts }) as unknown as Policy<PE, PR>
}

export const isPolicy = (u: unknown): u is { readonly parts: ReadonlyArray<Part> } =>
  typeof u === "function" && TypeId in u

/** The layers of a policy, innermost first. */
export const layersOf = (policy: { readonly parts: ReadonlyArray<Part> }): ReadonlyArray<Layer> =>
  policy.parts as ReadonlyArray<Layer>

/**
 * Makes one policy of several: the first is innermost, the last outermost, as if they had been piped in this order.
 *
 * The policies have to fit every resource: what one reads of errors is `unknown`, as in `Policy.retry({ times: 3, while: (error) =>
 * error instanceof HttpError })`.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Policy, Resource } from "effect-loader"
 *
 * const standard = Policy.compose(Policy.timeout("500 millis"), Policy.retry({ times: 3 }))
 * console.log(standard.parts.map((part) => part.label)) // [ "timeout(500ms)", "retry(3)" ]
 *
 * const org = Resource.make("org", { load: () => Effect.succeed("acme") }).pipe(standard)
 * console.log(org.name) // org
 * ```
 *
 * @since 0.1.0
 * @category combining
 */
export const compose = <const Policies extends ReadonlyArray<Composable>>(
  ...policies: Policies
): Composed<Policies[number], PolicyError<Policies[number]>, PolicyServices<Policies[number]>> =>
  policyOf(
    policies.flatMap((policy) => {
      if (isPolicy(policy)) return layersOf(policy)
      throw new Cause.IllegalArgumentError(`Policy.compose needs policies, got ${valueText(policy)}`)
    })
  ) as never
