/** Why something failed, in words. */
import { Cause, Data, Duration, Effect, Exit, Redacted } from "effect"
import { Loader, Resource, ResourceError } from "effect-loader"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { describe as inWords, toPlain } from "../../src/base/ErrorText.ts"

class SessionExpired extends Error {}
class NotFound extends Data.TaggedError("NotFound")<{ readonly id: string; readonly cause?: unknown }> {}
class Blank extends Data.TaggedError("Blank")<{}> {}

const circular = Object.assign(new Error("status 503"), { request: {} as Record<string, unknown> })
circular.request["response"] = circular
const endless: Error & { cause?: unknown } = new Error("endless")
endless.cause = endless

const throwing = {
  get message(): string {
    throw new Error("no")
  }
}

const cases: ReadonlyArray<readonly [error: unknown, text: string]> = [
  ["down", "down"],
  ["", '""'],
  ["  ", '"  "'],
  [Number.NaN, "NaN"],
  [7n, "7n"],
  [Symbol("s"), "Symbol(s)"],
  [null, "null"],
  [undefined, "undefined"],
  [new Error("no user", { cause: new Error("password expired") }), "Error: no user (cause: Error: password expired)"],
  [new Error("a", { cause: new TypeError("b", { cause: "c" }) }), "Error: a (cause: TypeError: b (cause: c))"],
  [new Error("a: b", { cause: new Error("b") }), "Error: a: b"],
  [endless, "Error: endless"],
  [new SessionExpired(), "SessionExpired"],
  [Object.assign(new Error(" "), { code: "E1" }), "Error (E1)"],
  [
    Object.assign(new AggregateError([new Error("::1:1"), new Error("127.0.0.1:1")]), { code: "ECONNREFUSED" }),
    "AggregateError (ECONNREFUSED): Error: ::1:1; Error: 127.0.0.1:1"
  ],
  [new AggregateError([1, 2, 3, 4, 5], "all"), "AggregateError: all: 1; 2; 3; and 2 more"],
  [new NotFound({ id: "7" }), 'NotFound {"id":"7"}'],
  [new NotFound({ id: "7", cause: "gone" }), 'NotFound {"id":"7"} (cause: gone)'],
  [new Blank(), "Blank"],
  [{ _tag: "Gone" }, "Gone"],
  [{ _tag: "Gone", message: "moved" }, "Gone: moved"],
  [{ code: 7 }, '{"code":7}'],
  [[1, 2], "[1,2]"],
  [new Map([["code", 7]]), 'Map [["code",7]]'],
  [new Set([7n]), 'Set ["7n"]'],
  [{ password: Redacted.make("secret") }, '{"password":"<redacted>"}'],
  [new Error("\n\n  no user\n", { cause: new Error("\nno user") }), "Error: no user"],
  [circular, "Error: status 503"],
  [throwing, "an error that cannot be read"]
]

const failureOf = (error: unknown): ResourceError<string, unknown> => {
  const user = Resource.make("user", { load: () => Effect.fail(error) })
  return Effect.runSync(Effect.flip(Loader.load(Loader.make({ user }))))
}

/** Errors that a program can fail with: data, errors, errors inside errors and data, circles, and unreadable values. */
const anyError = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.anything({ withBigInt: true, withMap: true, withSet: true, withDate: true, withNullPrototype: true }),
    fc.constantFrom(circular, endless, throwing, Symbol("s"), () => 1, new Blank(), Cause.fail("x"), Exit.die("y")),
    fc
      .record({ message: fc.anything(), cause: tie("any") })
      .map(({ cause, message }) => Object.assign(new Error(), { message, cause })),
    fc.array(tie("any"), { maxLength: 5 }).map((errors) => new AggregateError(errors, "several")),
    fc.record({ id: fc.string(), cause: tie("any") }).map((fields) => new NotFound(fields))
  )
})).any

describe("the text of an error", () => {
  it.each(cases)(
    "%# is told by its message, tag, name or code, then by what it lists and by its cause",
    (error, text) => {
      expect(inWords(error)).toBe(text)
    }
  )

  it("is never empty, always ends, and never throws", () => {
    fc.assert(
      fc.property(anyError, (error) => {
        const text = inWords(error)
        expect(text.trim()).not.toBe("")
        expect(text.length).toBeLessThanOrEqual(2003)
      }),
      { numRuns: 500 }
    )
  })

  it("is plain data that JSON takes, for every error, and contains the error once", () => {
    fc.assert(
      fc.property(anyError, (error) => {
        const json = JSON.stringify(failureOf(error))
        expect(JSON.parse(json)).toMatchObject({ _tag: "ResourceError", resource: "user", attempts: 1, elapsed: 0 })
        expect(JSON.parse(json)).not.toHaveProperty("cause")
      }),
      { numRuns: 500 }
    )
    expect(JSON.parse(JSON.stringify(failureOf(circular)))).toMatchObject({
      error: { name: "Error", message: "status 503" }
    })
    expect(JSON.stringify(failureOf(circular)).match(/status 503/g)).toHaveLength(2)
  })

  it("is bounded for errors of any size", () => {
    const wide = Object.fromEntries(Array.from({ length: 10_000 }, (_, k) => [`key ${k}`, { deep: [k, { k }] }]))
    expect(inWords(wide).length).toBeLessThan(300)
    expect(JSON.stringify(toPlain(wide)).length).toBeLessThan(30_000)
  })

  it("of an error without a tag has only name, message, code and cause", () => {
    const refused = Object.assign(new Error("401", { cause: "expired" }), { code: 7, headers: { cookie: "secret" } })
    expect(toPlain(refused)).toEqual({ name: "Error", message: "401", code: 7, cause: "expired" })
  })

  it("has the elapsed time in milliseconds", () => {
    const props = { resource: "a", error: 1, attempts: 1, path: ["a"], elapsed: Duration.seconds(2) }
    expect(JSON.parse(JSON.stringify(new ResourceError(props))).elapsed).toBe(2000)
  })
})

describe("the stack of a defect", () => {
  const dying = Resource.make("dying", { load: () => Effect.die(new Error("a bug")) })
  const inner = Loader.make({ dying }, { name: "inner" })
  const page = Resource.make("page", { load: () => Loader.load(inner) })
  const frames = (cause: Cause.Cause<unknown>) =>
    Cause.pretty(cause)
      .split("\n")
      .filter((line) => line.includes("(resource of"))

  it("names the resource and its loader, from the inside out", () => {
    const exit = Effect.runSyncExit(Loader.load(Loader.make({ page }, { name: "outer" })))
    const cause = Exit.isFailure(exit) ? exit.cause : Cause.empty
    expect(frames(cause)).toEqual(["    at dying (resource of inner)", "    at page (resource of outer)"])
  })

  it("keeps the frames of functions made with `Effect.fn`", () => {
    const traced = Resource.make("traced", { load: Effect.fn("query")(() => Effect.die(new Error("a bug"))) })
    const exit = Effect.runSyncExit(Loader.load(Loader.make({ traced }, { name: "outer" })))
    const text = Exit.isFailure(exit) ? Cause.pretty(exit.cause) : ""
    expect(text.indexOf("at query")).toBeGreaterThan(0)
    expect(text.indexOf("at traced (resource of outer)")).toBeGreaterThan(text.indexOf("at query"))
  })
})
