/** Plans as text and as data. */
import { assert, describe, it } from "@effect/vitest"
import { Data, Effect, Schedule } from "effect"
import { Loader, Plan, Policy, Resource } from "effect-loader"

class NotFound extends Data.TaggedError("NotFound")<{ readonly id: string }> {}

const orgId = Resource.input<string>()("orgId")
const region = Resource.succeed("region", "eu")
const org = Resource.make("org", {
  deps: { orgId, region },
  load: ({ orgId }) => Effect.as(Effect.sleep(100), orgId)
}).pipe(
  Policy.timeout("500 millis"),
  Policy.retry({ times: 3, schedule: Schedule.spaced("1 second") }),
  Policy.timeout("5 seconds"),
  Resource.annotate({ team: "accounts" }),
  Resource.annotate({ tier: 1 })
)
const user = Resource.make("user", { load: () => Effect.as(Effect.sleep(40), "ada") }).pipe(Policy.timeout("1 second"))
const avatar = Resource.make("avatar", {
  deps: { user },
  load: ({ user }) => Effect.andThen(Effect.sleep(20), Effect.fail(new NotFound({ id: user })))
}).pipe(Resource.orElseSucceed(() => "nobody.png"))
const members = Resource.make("members", {
  deps: { org },
  after: [avatar],
  load: () => Effect.as(Effect.sleep(60), ["ada"])
})
const bad = Resource.make("bad", { load: () => Effect.fail("down") }).pipe(Policy.retry({ times: 1 }))

const lines = (text: string): ReadonlyArray<string> => text.split("\n")

describe("Plan", () => {
  const plan = Loader.plan(
    Loader.make({ members, avatar, all: Resource.struct("all", { org, user }) }, { name: "page" })
  )

  it("toText lists the inputs, batches, dependencies, policies and views", () => {
    assert.deepStrictEqual(lines(Plan.toText(plan)), [
      'plan of "page": 5 resources in 3 batches',
      "     given: orgId, region",
      "  1  user  timeout(1s)",
      "     org <- orgId, region  timeout(5s) > retry(3, schedule) > [timeout(500ms)]",
      "  2  avatar <- user  seen through orElseSucceed",
      "     all <- org, user",
      "  3  members <- org, avatar"
    ])
    assert.strictEqual(Plan.toText(Loader.plan(Loader.make({}))), 'plan of "anonymous": 0 resources in 0 batches')
    assert.deepStrictEqual(lines(Plan.toText(Loader.plan(Loader.make({ bad })))), [
      'plan of "anonymous": 1 resource in 1 batch',
      "  1  bad  retry(1)"
    ])
  })

  it("is data: order, dependents, batches, ranks, policies, annotations", () => {
    assert.deepStrictEqual(Plan.get(plan, "org"), {
      name: "org",
      kind: "load",
      dependencies: ["orgId", "region"],
      dependents: ["members", "all"],
      batch: 0,
      rank: 2,
      attempt: [{ kind: "timeout", label: "timeout(500ms)" }],
      around: [
        { kind: "retry", label: "retry(3, schedule)" },
        { kind: "timeout", label: "timeout(5s)" }
      ],
      views: [],
      annotations: { team: "accounts", tier: 1 }
    })
    assert.deepStrictEqual(
      plan.resources.map(({ kind, name, rank }) => [name, kind, rank]),
      [
        ["orgId", "input", 2],
        ["region", "constant", 2],
        ["org", "load", 2],
        ["user", "load", 3],
        ["avatar", "load", 2],
        ["members", "load", 1],
        ["all", "struct", 1]
      ]
    )
    assert.deepStrictEqual(plan.targets, { members: "members", avatar: "avatar", all: "all" })
    assert.isUndefined(Plan.get(plan, "nobody"))
    assert.deepStrictEqual(JSON.parse(JSON.stringify(plan)), plan)
  })
})
