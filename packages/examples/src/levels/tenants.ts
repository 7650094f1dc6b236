/** Who there is: organizations, each with three projects and two artifacts. Three of the projects are popular. */
import { Array as Arr } from "effect"
import { OrgId, ProjectId } from "../page/Model.ts"

const names: Arr.NonEmptyArray<string> = ["Wayne", "Globex", "Initech", "Umbrella", "Hooli", "Stark"]
const projectsOfEach: Arr.NonEmptyArray<string> = ["api", "site", "docs"]
const artifactsOfEach: Arr.NonEmptyArray<string> = ["app.tgz", "build.log"]

export const orgs = Arr.map(names, (name) => ({
  id: OrgId.make(name.toLowerCase()),
  name,
  plan: "team" as const,
  projects: Arr.map(projectsOfEach, (project) => ({
    id: ProjectId.make(`${name.toLowerCase()}-${project}`),
    name: `${name} ${project}`,
    branch: "main"
  })),
  artifacts: Arr.map(artifactsOfEach, (artifact) => ({ name: `${name} ${artifact}`, kilobytes: 64 }))
}))

const all = Arr.flatMap(orgs, ({ id, projects }) =>
  Arr.map(projects, (project) => ({ orgId: id, projectId: project.id }))
)
const popular = all.slice(0, 3)

export const counts = { orgs: orgs.length, projects: all.length, popular: popular.length }

const turn = <A>(list: ReadonlyArray<A>, k: number): A => list[k % list.length]!

/** Whose page is asked for as the `k`th: every second one is a popular project's, the others take turns. */
export const visit = (k: number) => {
  const half = Math.floor(k / 2)
  return k % 2 === 0 ? turn(popular, half) : turn(all, half)
}
