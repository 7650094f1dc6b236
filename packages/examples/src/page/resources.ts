/** The page of a CI/CD service, declared: what there is to load, and what each needs. */
import { Effect, Schedule } from "effect"
import { Policy, Resource } from "effect-loader"
import { Catalog } from "./Catalog.ts"
import { Directory } from "./Directory.ts"
import type { OrgId, ProjectId, UserId } from "./Model.ts"
import { render } from "./render.ts"

export const orgId = Resource.input<OrgId>()("orgId")
const userId = Resource.input<UserId>()("userId")
const projectId = Resource.input<ProjectId>()("projectId")

const org = Resource.make("org", {
  deps: { orgId },
  load: ({ orgId }) => Catalog.use((catalog) => catalog.org(orgId))
}).pipe(Policy.timeout("500 millis"))

const user = Resource.make("user", {
  deps: { userId },
  load: ({ userId }) => Directory.use((directory) => directory.user(userId))
}).pipe(
  Policy.timeout("500 millis"),
  Policy.retry({
    times: 2,
    schedule: Schedule.exponential("50 millis"),
    while: (error) => error._tag === "DirectoryDown"
  })
)

const project = Resource.make("project", {
  deps: { org, projectId },
  load: ({ org, projectId }) => Catalog.use((catalog) => catalog.project(org.id, projectId))
}).pipe(Policy.timeout("500 millis"))

// The page can do without these two: it says so in one case, and shows an empty list in the other.
const artifacts = Resource.make("artifacts", {
  deps: { org },
  load: ({ org }) => Catalog.use((catalog) => catalog.artifacts(org.id))
}).pipe(Policy.timeout("500 millis"), Resource.option)

const notifications = Resource.make("notifications", {
  deps: { user },
  load: ({ user }) => Directory.use((directory) => directory.notifications(user.id))
}).pipe(
  Policy.timeout("500 millis"),
  Resource.orElseSucceed(() => [])
)

const permissions = Resource.make("permissions", {
  deps: { project, user },
  load: ({ project, user }) => Directory.use((directory) => directory.permissions(user.id, project.id))
}).pipe(Policy.timeout("500 millis"), Policy.retry({ times: 2, schedule: Schedule.exponential("50 millis") }))

export const page = Resource.make("page", {
  deps: { org, user, project, artifacts, notifications, permissions },
  load: (parts) => Effect.sync(() => render(parts))
})
