/** Matchers know what a load can fail with, and refuse what it cannot. */
import { Data, Effect, type Exit } from "effect"
import { Loader, Resource } from "effect-loader"
import { Fake, Fault, LoadExit, type RunLog } from "effect-loader/testing"
import "@effect-loader/vitest"
import { describe, expect, expectTypeOf, it } from "vitest"

class NotFound extends Data.TaggedError("NotFound")<{ readonly id: string }> {}
class Down extends Error {
  readonly _tag = "Down"
  declare readonly host: string
}
class Other extends Error {
  readonly _tag = "Other"
}

declare const find: Effect.Effect<{ readonly name: string }, NotFound>
declare const list: Effect.Effect<ReadonlyArray<string>, Down | "busy">

const org = Resource.make("org", { load: () => find })
const members = Resource.make("members", { deps: { org }, load: () => list })
const inner = Loader.make({ members })
const page = Resource.make("page", { load: () => Loader.load(inner) })
const outer = Loader.make({ page, members })

declare const exit: Exit.Exit<Loader.Success<typeof inner>, Loader.Error<typeof inner>>
declare const nested: RunLog.Recorded<Loader.Success<typeof outer>, Loader.Error<typeof outer>>

describe("toHaveFailedAt", () => {
  it("takes the resources that can fail, and what each can fail with", () => {
    expect(exit).toHaveFailedAt("org")
    expect(exit).toHaveFailedAt("org", NotFound)
    expect(exit).toHaveFailedAt("org", "NotFound")
    expect(exit).toHaveFailedAt("org", { id: "7" })
    expect(exit).toHaveFailedAt("org", (error) => {
      expectTypeOf(error).toEqualTypeOf<NotFound>()
      return true
    })
    expect(exit).toHaveFailedAt("members", "busy")
    expect(exit).toHaveFailedAt("members", Down)
    expect(nested).toHaveFailedAt(["page", "org"], NotFound)
    expect(nested).toHaveFailedAt(["page", "members"], "Down")
    expect(nested).toHaveFailedAt("page")
    expect(exit).toHaveTimedOut("org")
    expect({} as unknown).toHaveFailedAt("anything", "goes")
  })

  it("refuses others", () => {
    // @ts-expect-error no resource has this name
    expect(exit).toHaveFailedAt("organization")
    // @ts-expect-error it cannot fail with this
    expect(exit).toHaveFailedAt("org", Down)
    // @ts-expect-error nor with this tag
    expect(exit).toHaveFailedAt("org", "Down")
    // @ts-expect-error nor has its error such a field
    expect(exit).toHaveFailedAt("org", { host: "db" })
    // @ts-expect-error nothing of this name is inside
    expect(nested).toHaveFailedAt(["page", "user"])
    // @ts-expect-error what is inside fails otherwise
    expect(nested).toHaveFailedAt(["page", "org"], Other)
    // @ts-expect-error there is no such outcome
    expect(nested).toHaveEndedAs("org", "Exploded")
  })
})

describe("the kit", () => {
  it("infers what fakes are and what they fail with", () => {
    expectTypeOf(Fake.delay("n", 1, 7)).toEqualTypeOf<Resource.Resource<"n", number>>()
    expectTypeOf(Fake.fail(org, new Down()).name).toEqualTypeOf<"org">()
    // @ts-expect-error it stands in for something else
    Fake.delay(org, 1, 7)
  })

  it("adds the errors of faults, and has those of resources be their own", () => {
    const faulty = Fault.inject(inner, org, Fault.fail(new Other()))
    expectTypeOf<Extract<Loader.Error<typeof faulty>, { readonly resource: "org" }>["error"]>().toEqualTypeOf<
      NotFound | Other
    >()
    expectTypeOf<Fault.Errors<Loader.Error<typeof inner>>>().toEqualTypeOf<{
      readonly org?: NotFound
      readonly members?: Down | "busy"
    }>()
  })

  it("says what an exit failed with", () => {
    expectTypeOf(LoadExit.errorsAt(exit, "members")).toEqualTypeOf<ReadonlyArray<Down | "busy">>()
    expectTypeOf(LoadExit.errorsAt(nested.exit, ["page", "org"])).toEqualTypeOf<ReadonlyArray<NotFound>>()
  })
})
