/** A page that needs twenty users: who wrote comments, who is responsible, and who is to be told. */
import { Effect } from "effect"
import { Loader, Resource } from "effect-loader"
import { getUser, type Users } from "./Users.ts"

/** What another service says: it takes a while. */
const project = Resource.make("project", {
  load: () => Effect.as(Effect.sleep("60 millis"), { ownerId: 7, watchers: [40, 41, 42, 11] })
})

const commenters = Array.from({ length: 15 }, (_, k) => k + 10)

export const pageOf = (resolver: typeof Users) => {
  const comments = Resource.forEachRequest("comments", {
    items: () => commenters,
    request: getUser,
    resolver
  })
  const viewer = Resource.fromRequest("viewer", { request: () => getUser(12), resolver })
  const deputy = Resource.fromRequest("deputy", { request: () => getUser(999), resolver })
  const owner = Resource.fromRequest("owner", {
    deps: { project },
    request: ({ project }) => getUser(project.ownerId),
    resolver
  })
  const watchers = Resource.forEachRequest("watchers", {
    deps: { project },
    items: ({ project }) => project.watchers,
    request: getUser,
    resolver
  })
  return Loader.make(
    { comments, viewer, deputy: Resource.option(deputy), owner, watchers },
    { name: "page", concurrency: 2 }
  )
}
