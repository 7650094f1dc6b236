/** A page whose parts are looked for in the memory of this process, then in Redis, and then loaded from PostgreSQL. */
import { Layer, References, Schema } from "effect"
import { Loader, Policy, Resource, ResourceCache } from "effect-loader"
import * as Persisted from "effect-loader/persistence"
import { randomUUID } from "node:crypto"
import { Catalog } from "../page/Catalog.ts"
import { Artifact, Org, type OrgId, Project, type ProjectId } from "../page/Model.ts"

class Orgs extends ResourceCache.Service<Orgs, Org>()("levels/Orgs", { keyed: true }) {}
class Projects extends ResourceCache.Service<Projects, Project>()("levels/Projects", { keyed: true }) {}
class Artifacts extends ResourceCache.Service<Artifacts, ReadonlyArray<Artifact>>()("levels/Artifacts", {
  keyed: true
}) {}

/** Short in memory, so that there is something to see. */
export const times = { memory: 300, redis: 60_000, within: 250 }

/** A store of this run's own: whatever it leaves in a Redis of yours is in nobody's way, and gone in two minutes. */
const optionsFor = (name: string) => ({
  timeToLive: times.redis,
  longest: times.redis,
  memory: { capacity: 1000, timeToLive: times.memory },
  within: times.within,
  storeId: `effect-loader-levels-${randomUUID().slice(0, 8)}-${name}`
})

/** What the caches would log of their store is what the program shows. */
export const caches = Layer.mergeAll(
  Persisted.layer(Orgs, { value: Org, ...optionsFor("orgs") }),
  Persisted.layer(Projects, { value: Project, ...optionsFor("projects") }),
  Persisted.layer(Artifacts, { value: Schema.Array(Artifact), ...optionsFor("artifacts") })
).pipe(Layer.provide(Layer.succeed(References.MinimumLogLevel, "None")))

const orgId = Resource.input<OrgId>()("orgId")
const projectId = Resource.input<ProjectId>()("projectId")

const org = Resource.make("org", {
  deps: { orgId },
  key: ({ orgId }) => `org:${orgId}`,
  load: ({ orgId }) => Catalog.use((catalog) => catalog.org(orgId))
}).pipe(Policy.timeout("10 seconds"), Policy.cache(Orgs))

const project = Resource.make("project", {
  deps: { org, projectId },
  key: ({ org, projectId }) => `org:${org.id}:project:${projectId}`,
  load: ({ org, projectId }) => Catalog.use((catalog) => catalog.project(org.id, projectId))
}).pipe(Policy.timeout("10 seconds"), Policy.cache(Projects))

const artifacts = Resource.make("artifacts", {
  deps: { org },
  key: ({ org }) => `org:${org.id}:artifacts`,
  load: ({ org }) => Catalog.use((catalog) => catalog.artifacts(org.id))
}).pipe(Policy.timeout("10 seconds"), Policy.cache(Artifacts))

export const page = Loader.make({ org, project, artifacts }, { name: "project page", concurrency: 8 })
