/**
 * What the caller answers when the page cannot be loaded. `e.resource` narrows `e.error` to what that resource can
 * fail with, and the compiler knows which resources those are.
 */
import type { Loader } from "effect-loader"
import type { eager } from "./loaders.ts"

export const answer = (e: Loader.Error<typeof eager>): string => {
  switch (e.resource) {
    case "org":
    case "project":
      return e.error._tag === "NotFound" ? `404  There is no ${e.error.kind} "${e.error.id}".` : tryAgain(e.resource)
    case "user":
      return e.error._tag === "NotFound" ? "403  Please sign in again." : tryAgain(e.resource)
    case "permissions":
      return tryAgain(e.resource)
  }
}

const tryAgain = (resource: string): string => `503  We cannot read the ${resource} right now, try again in a minute.`
