/** Plans for drawing programs, read by those programs. */
import { instance } from "@viz-js/viz"
import { Effect, Schedule } from "effect"
import { Loader, Plan, Policy, Resource } from "effect-loader"
import * as Diagram from "effect-loader/diagram"
import { describe, expect, it } from "vitest"
import { hostileNames } from "../observe/hostile.ts"

const orgId = Resource.input<string>()("orgId")
const region = Resource.succeed("region", "eu")
const org = Resource.make("org", { deps: { orgId, region }, load: () => Effect.void }).pipe(
  Policy.timeout("500 millis"),
  Policy.retry({ times: 3, schedule: Schedule.spaced("1 second") })
)
const user = Resource.make("user", { load: () => Effect.void })
const members = Resource.make("members", { deps: { org }, after: [user], load: () => Effect.void })
const page = Loader.plan(Loader.make({ members, all: Resource.struct("all", { org, user }) }, { name: "page" }))

const hostile = () => {
  let before: Record<string, Resource.Any> = {}
  for (const name of hostileNames) before = { before: Resource.make(name, { deps: before, load: () => Effect.void }) }
  return Loader.plan(Loader.make(before, { name: 'a "page" {' }))
}

const kind = Resource.input<string>()("kind")
const inner = Loader.make({ user }, { name: "inner" })
const nested = Resource.fromLoader("nested", inner)
const users = Resource.forEach("users", {
  items: () => [1],
  load: () => Effect.void,
  each: Policy.timeout("1 second"),
  concurrency: 4
})
const choice = Resource.match("choice", { on: kind, cases: { all: users, none: region }, orElse: nested })

describe("Diagram", () => {
  it("draws lists, choices and nested loaders", async () => {
    const plan = Loader.plan(Loader.make({ choice }, { name: "page" }))
    await expect(`${Diagram.toMermaid(plan)}\n`).toMatchFileSnapshot("../golden/plan-kinds.mmd")
    await expect(`${Diagram.toGraphviz(plan)}\n`).toMatchFileSnapshot("../golden/plan-kinds.dot")
    await expect(`${Plan.toText(plan)}\n`).toMatchFileSnapshot("../golden/plan-kinds.txt")
  })

  it("draws plans for Mermaid", async () => {
    await expect(`${Diagram.toMermaid(page)}\n`).toMatchFileSnapshot("../golden/plan.mmd")
    expect(Diagram.toMermaid(page, { direction: "LR" })).toMatch(/^flowchart LR\n/)
    await expect(`${Diagram.toMermaid(hostile())}\n`).toMatchFileSnapshot("../golden/plan-hostile.mmd")
  })

  it("draws plans for Graphviz, which reads them for any names", async () => {
    await expect(`${Diagram.toGraphviz(page)}\n`).toMatchFileSnapshot("../golden/plan.dot")
    const viz = await instance()
    const plan = hostile()
    for (const direction of ["TD", "LR"] as const) {
      const svg = viz.renderString(Diagram.toGraphviz(plan, { direction }), { format: "svg" })
      expect(svg.match(/<g id="node/g)).toHaveLength(plan.resources.length)
      expect(svg.match(/<g id="edge/g)).toHaveLength(plan.resources.length - 1)
      expect(svg).toContain("subgraph")
      expect(svg).not.toContain("<script>")
    }
  })

  it("draws 500 resources", async () => {
    const many = Array.from({ length: 500 }, (_, i) => Resource.make(`r${i}`, { load: () => Effect.void }))
    const plan = Loader.plan(Loader.make(Object.fromEntries(many.map((resource) => [resource.name, resource]))))
    expect(Diagram.toMermaid(plan).split("\n")).toHaveLength(501)
    expect((await instance()).renderString(Diagram.toGraphviz(plan), { format: "dot" })).toContain("r499")
  })
})
