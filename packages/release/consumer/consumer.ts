/** What a package that exports its own resources and loaders looks like: its declarations have to be writable. */
import { Data, Effect } from "effect"
import { Loader, Policy, Report, Resource } from "effect-loader"
import * as Loaders from "effect-loader/Loader"
import { RunLog } from "effect-loader/testing"

export class NotFound extends Data.TaggedError("NotFound")<{ readonly id: string }> {}

export const orgId = Resource.input<string>()("orgId")

export const org = Resource.make("org", {
  deps: { orgId },
  load: ({ orgId }) => (orgId === "" ? Effect.fail(new NotFound({ id: orgId })) : Effect.succeed({ id: orgId }))
}).pipe(Policy.timeout("1 second"), Policy.retry({ times: 2 }))

export const standard = Policy.compose(Policy.timeout("1 second"), Policy.retry({ times: 2 }))

export const members = Resource.make("members", { deps: { org }, load: ({ org }) => Effect.succeed([org.id]) }).pipe(
  standard,
  Resource.option
)

export const page = Loader.make({ org, members }, { timeout: "2 seconds" })

export const program = Loader.load(page, { orgId: "acme" })

export const recorded = RunLog.record(program)

export const summary = Effect.map(Loader.settle(page, { orgId: "acme" }), (report) => Report.toWaterfall(report))

/** By module, for bundlers that keep a namespace whole: the types are those of the core entry. */
export const byModule: typeof program = Loaders.load(page, { orgId: "acme" })
