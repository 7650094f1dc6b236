/**
 * What a policy is, and how several become one.
 *
 * @since 0.1.0
 */
import type { Layer } from "./Node.ts"
import { type AddError, type Any, type OwnError, type Resource, withLayers } from "./Resource.ts"

const TypeId = "~effect-loader/Policy"

/**
 * What one part of a policy does, for people: `{ kind: "timeout", label: "timeout(500ms)" }`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Part {
  readonly kind: string
  readonly label: string
}

/**
 * A labelled function from resource to resource that keeps the type of the value.
 *
 * `PE` is what it can add to the resource's own error, `PR` what it needs. Last piped is outermost, as with Effect's
 * own combinators: `timeout` before `retry` bounds one attempt, after it the whole.
 *
 * @since 0.1.0
 * @category models
 */
export interface Policy<out PE = never, out PR = never> {
  <N extends string, A, E, R, In>(self: Resource<N, A, E, R, In>): Resource<N, A, AddError<N, E, PE>, R | PR, In>
  readonly [TypeId]: { readonly _E: () => PE; readonly _R: () => PR }
  /** Its parts, innermost first. */
  readonly parts: ReadonlyArray<Part>
}

/**
 * A policy that reads the resource's own error: it fits resources whose own error is all of `E0` or less. `PR` is what it
 * needs.
 *
 * @since 0.1.0
 * @category models
 */
export interface PolicyFor<E0, out PR = never> {
  <N extends string, A, E, R, In>(
    self: Resource<N, A, E, R, In> &
      ([OwnError<N, E>] extends [E0] ? unknown : { readonly "~unhandled": OwnError<N, E> })
  ): Resource<N, A, E, R | PR, In>
  readonly "~error": (error: E0) => void
  readonly parts: ReadonlyArray<Part>
}

/**
 * A policy for resources whose values are of type `A0`, and of no other.
 *
 * @since 0.1.0
 * @category models
 */
export interface PolicyOf<in out A0, out PR = never> {
  <N extends string, A, E, R, In>(
    self: Resource<N, A, E, R, In> & (Same<A, A0> extends true ? unknown : { readonly "~not a value of": A0 })
  ): Resource<N, A, E, R | PR, In>
  readonly "~value": (value: A0) => A0
  readonly "~services": () => PR
  readonly parts: ReadonlyArray<Part>
}

type Same<A, B> = [A, B] extends [B, A] ? true : false

/**
 * The type of what a policy can add to a resource's own error.
 *
 * @since 0.1.0
 * @category type-level
 */
export type PolicyError<P> = P extends Policy<infer PE, infer _> ? PE : never

/**
 * The type of the services that a policy needs.
 *
 * @since 0.1.0
 * @category type-level
 */
export type PolicyServices<P> = P extends Policy<infer _, infer PR> ? PR : never

/** A policy of these layers, innermost first. What it adds to types is for the caller to say. */
export const fromLayers = <PE, PR>(parts: ReadonlyArray<Layer>): Policy<PE, PR> => {
  const apply = (self: Any): Any => withLayers(self, parts)
  return Object.assign(apply, { [TypeId]: { _E: undefined, _R: undefined }, parts }) as unknown as Policy<PE, PR>
}

/** The layers of a policy, innermost first. */
export const layersOf = (policy: { readonly parts: ReadonlyArray<Part> }): ReadonlyArray<Layer> =>
  policy.parts as ReadonlyArray<Layer>

/**
 * Makes one policy of several: the first is innermost, the last outermost, as if they had been piped in this order.
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
export const compose = <const Policies extends ReadonlyArray<Policy<unknown, unknown>>>(
  ...policies: Policies
): Policy<PolicyError<Policies[number]>, PolicyServices<Policies[number]>> => fromLayers(policies.flatMap(layersOf))
