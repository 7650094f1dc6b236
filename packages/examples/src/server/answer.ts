/** What is answered to a request: the page, or the status that goes with the resource that failed. */
import { Effect } from "effect"
import type { Loader } from "effect-loader"
import { Page } from "./Page.ts"

export interface Answer {
  readonly status: number
  readonly body: object
}

const statusOf = (e: Loader.Error<typeof Page.loader>): number => {
  switch (e.resource) {
    case "org":
    case "project":
      return e.error._tag === "NotFound" ? 404 : 503
    case "user":
      return e.error._tag === "NotFound" ? 403 : 503
    case "permissions":
      return 503
  }
}

/** An effect that does not fail: its failures are answers. */
export const answer = (inputs: Loader.Input<typeof Page.loader>): Effect.Effect<Answer, never, Page> =>
  Page.load(inputs).pipe(
    Effect.map(({ banner, page }) => ({ status: 200, body: { banner, page } })),
    Effect.catchTag("ResourceError", (e) =>
      Effect.succeed({ status: statusOf(e), body: { resource: e.resource, error: e.error.message } })
    ),
    Effect.scoped
  )
