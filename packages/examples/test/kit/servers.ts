/** Real servers for tests. */
import { NodeServices } from "@effect/platform-node"
import { Effect, Exit, Option, Scope } from "effect"
import { afterAll, beforeAll, beforeEach } from "vitest"
import { NoServer } from "../../src/backends/NoServer.ts"

/** Whether a test that would be skipped for a missing server has to fail. */
export const requireServices = process.env["TEST_REQUIRE_SERVICES"] === "1"

export const warnOfSkipping = (what: string, why: string): void =>
  console.warn(`\n!! A server could not be had: the tests of ${what} are SKIPPED.\n${why}\n`)

/**
 * Starts servers before the tests of a suite, and stops them afterwards. Where one cannot be had the tests are skipped,
 * loudly; where servers are required that is a failure. What is returned gives what was started, in the tests.
 */
export const useServers = <A, E>(start: Effect.Effect<A, E, NodeServices.NodeServices | Scope.Scope>): (() => A) => {
  const scope = Scope.makeUnsafe()
  let started: Option.Option<A> = Option.none()
  const skipped = (error: E) => {
    if (!(error instanceof NoServer) || requireServices) return Effect.fail(error)
    warnOfSkipping("servers", error.message)
    return Effect.succeed(Option.none<A>())
  }
  beforeAll(async () => {
    started = await start.pipe(
      Effect.asSome,
      Effect.catch(skipped),
      Scope.provide(scope),
      Effect.provide(NodeServices.layer),
      Effect.runPromise
    )
  }, 180_000)
  beforeEach(({ skip }) => skip(Option.isNone(started)))
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)), 30_000)
  return () => Option.getOrThrow(started)
}
