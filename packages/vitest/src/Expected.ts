/** What an error is expected to be: of a class, with a tag, like a value, or as a function says. */
import { describe } from "effect-loader/internal"

export type TagOf<X> = X extends { readonly _tag: infer T extends string } ? T : never

/** Some fields of an object: neither text nor functions, which would fit a type without required fields. */
export type Fields<X> = object & { readonly [K in keyof X]?: unknown } & { readonly apply?: never }

/**
 * What an error `X` may be expected to be: its class, its tag, a part of its fields, a function that says so, or, where it
 * is no object, the error itself.
 *
 * @since 0.1.0
 * @category models
 */
export type Expected<X> = unknown extends X
  ? unknown
  : | TagOf<X>
    // Not `X` itself: a class is named by what it makes, which may be less than all that can come here.
    | (abstract new (...args: never) => X)
    | ((error: X) => boolean)
    | (X extends object ? Fields<X> : X)

type Equals = (actual: unknown, expected: unknown) => boolean

const isClass = (f: Function): boolean =>
  f.prototype instanceof Error || /^class\b/.test(Function.prototype.toString.call(f))

const tagOf = (error: unknown): unknown =>
  typeof error === "object" && error !== null && "_tag" in error ? error._tag : undefined

/** Whether an error is as expected; anything is, where nothing is. `contains` holds objects against parts of them. */
export const matches = (error: unknown, expected: unknown, contains: Equals): boolean => {
  if (expected === undefined) return true
  if (typeof expected === "string") return error === expected || tagOf(error) === expected
  if (typeof expected !== "function") return contains(error, expected)
  return isClass(expected)
    ? error instanceof (expected as unknown as abstract new () => unknown)
    : (expected as (error: unknown) => boolean)(error)
}

/** The same in words: ` with NotFound`. */
export const expectedText = (expected: unknown): string => {
  if (expected === undefined) return ""
  if (typeof expected === "string") return ` with ${expected}`
  if (typeof expected !== "function") return ` with ${describe(expected)}`
  return isClass(expected) ? ` with ${expected.name}` : ` with an error that ${expected.name || "the function"} accepts`
}
