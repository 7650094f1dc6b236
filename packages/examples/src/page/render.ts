/** The page as text. */
import { Option } from "effect"
import type { Artifact, Notification, Org, Permissions, Project, User } from "./Model.ts"

export const render = (parts: {
  readonly org: Org
  readonly user: User
  readonly project: Project
  readonly artifacts: Option.Option<ReadonlyArray<Artifact>>
  readonly notifications: ReadonlyArray<Notification>
  readonly permissions: Permissions
}): string =>
  [
    `${parts.org.name} / ${parts.project.name} @ ${parts.project.branch}    (${parts.org.plan} plan)`,
    `${parts.user.name}, ${parts.permissions.role}: may ${parts.permissions.can.join(", ")}`,
    `artifacts      ${Option.match(parts.artifacts, { onNone: () => "not to be had just now", onSome: listArtifacts })}`,
    `notifications  ${parts.notifications.map(({ text }) => text).join("; ") || "none"}`
  ].join("\n")

const listArtifacts = (artifacts: ReadonlyArray<Artifact>): string =>
  artifacts.map(({ kilobytes, name }) => `${name} ${kilobytes} kB`).join(", ") || "none yet"
