/** How a package tests its own loaders, with the matchers and the types that come with the library. */
import { Effect } from "effect"
import { Fault, RunLog, VirtualTime } from "effect-loader/testing"
import "@effect-loader/vitest"
import { expect, it } from "vitest"
import { NotFound, org, page } from "./consumer.ts"
import { Loader } from "effect-loader"

it("an organization that does not exist fails the page", async () => {
  const recorded = await Effect.runPromise(VirtualTime.run(RunLog.record(Loader.load(page, { orgId: "" }))))
  expect(recorded).toHaveFailedAt("org", NotFound)
  expect(recorded).toHaveAttempted("org", 3)
  expect(recorded).toHaveSkipped("members", { because: "org" })
})

it("a slow organization is tried again", async () => {
  const faulty = Fault.inject(page, org, Fault.hang({ times: 1 }))
  const recorded = await Effect.runPromise(VirtualTime.run(RunLog.record(Loader.load(faulty, { orgId: "acme" }))))
  expect(recorded).toHaveAttempted("org", 2)
})
