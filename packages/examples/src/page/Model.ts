/** What the page is made of, as schemas: whatever comes from a backend is decoded by one of these. */
import { Schema } from "effect"

export const OrgId = Schema.String.pipe(Schema.brand("OrgId"))
export type OrgId = typeof OrgId.Type

export const UserId = Schema.String.pipe(Schema.brand("UserId"))
export type UserId = typeof UserId.Type

export const ProjectId = Schema.String.pipe(Schema.brand("ProjectId"))
export type ProjectId = typeof ProjectId.Type

export class Org extends Schema.Class<Org>("Org")({
  id: OrgId,
  name: Schema.String,
  plan: Schema.Literals(["free", "team"])
}) {}

export class Project extends Schema.Class<Project>("Project")({
  id: ProjectId,
  name: Schema.String,
  branch: Schema.String
}) {}

export class Artifact extends Schema.Class<Artifact>("Artifact")({
  name: Schema.String,
  kilobytes: Schema.Int
}) {}

export class User extends Schema.Class<User>("User")({
  id: UserId,
  name: Schema.String
}) {}

export class Notification extends Schema.Class<Notification>("Notification")({
  text: Schema.String
}) {}

export class Permissions extends Schema.Class<Permissions>("Permissions")({
  role: Schema.String,
  can: Schema.Array(Schema.String)
}) {}
