/** A view whose value tells of a failure. */
import * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import * as Result from "effect/Result"
import { Failed, Skipped } from "./Absent.ts"
import type { Lens } from "./Node.ts"
import { recoverable, recovering } from "./Recovery.ts"
import {
  type Ancestors,
  type Any,
  isResource,
  type OwnError,
  type Resource,
  through,
  type WithoutOwn
} from "./Resource.ts"
import type { ResourceError } from "./ResourceError.ts"
import type { RunView } from "./Step.ts"

const fail = (error: unknown) => Exit.succeed(Result.fail(error))

const ofItself = /* @__PURE__ */ recovering("result", {
  recovers: "errors",
  ancestors: false,
  onSuccess: Result.succeed,
  onFailure: fail
})

/** The failure for which a step was skipped, or failed itself. */
const failureOf = (run: RunView, first: number): ResourceError<string, unknown> | undefined => {
  const seen = new Set<number>()
  const open = [first]
  for (let i = open.pop(); i !== undefined; i = open.pop()) {
    if (seen.has(i)) continue
    seen.add(i)
    const value = run.valueOf(i)
    const failure = value === Failed ? recoverable(run.causeOf(i)!) : undefined
    if (failure !== undefined) return failure.error as ResourceError<string, unknown>
    if (value !== Skipped) continue
    const { mayChoose, waitsFor } = run.program.steps[i]!
    for (const before of [waitsFor, mayChoose]) for (const j of before) open.push(j)
  }
  return undefined
}

const ofAll = (): Lens => ({
  ...recovering("result(ancestors)", {
    recovers: "errors",
    ancestors: true,
    onSuccess: Result.succeed,
    onFailure: fail
  }),
  settle: (run, index, _step, parent) => {
    const value = run.valueOf(parent)
    if (value !== Failed && value !== Skipped) return run.succeed(index, Result.succeed(value))
    const error = failureOf(run, parent)
    if (error === undefined) return run.conclude(index, run.causeOf(parent)!)
    run.recover(index, "result(ancestors)", fail(error), () => error.error)
  }
})

/**
 * Turns a resource's own typed error into a value: a `Result` of its value or its error, for dependents that want to know why
 * it could not be loaded.
 *
 * With `{ ancestors: true }` typed failures of ancestors are values too. The error is then the `ResourceError`, since its
 * `resource` tells which of them failed. The outcome is `Degraded`. It does not recover from defects and interruptions.
 *
 * @example
 * ```ts
 * import { Effect, Result } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * const invoices = Resource.make("invoices", {
 *   load: (): Effect.Effect<ReadonlyArray<string>, "down"> => Effect.fail("down")
 * })
 * const footer = Resource.make("footer", {
 *   deps: { invoices: invoices.pipe(Resource.result) },
 *   load: ({ invoices }) =>
 *     Effect.succeed(Result.isSuccess(invoices) ? invoices.success.join() : `no invoices: ${invoices.failure}`)
 * })
 * console.log(Effect.runSync(Loader.load(Loader.make({ footer }))).footer) // no invoices: down
 * ```
 *
 * @since 0.1.0
 * @category error handling
 */
export const result: <Self extends Any | Ancestors, Options extends Ancestors | undefined = undefined>(
  selfOrOptions: Self,
  options?: Options
) => [Self] extends [Resource<infer N, infer A, infer E, infer R, infer In, infer U>]
  ? [Options] extends [Ancestors]
    ? Resource<N, Result.Result<A, E>, never, R, In, U>
    : Resource<N, Result.Result<A, OwnError<N, E>>, WithoutOwn<N, E>, R, In, U>
  : <N extends string, A, E, R, In, U>(
      self: Resource<N, A, E, R, In, U>
    ) => Resource<N, Result.Result<A, E>, never, R, In, U> = /* @__PURE__ */ dual(
  (args) => isResource(args[0]),
  (self: Any, options?: Ancestors): never => through(self, fail, options?.ancestors === true ? ofAll() : ofItself)
)
