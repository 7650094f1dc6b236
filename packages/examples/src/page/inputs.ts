/** Whose page it is. */
import { OrgId, ProjectId, UserId } from "./Model.ts"

export const inputs = {
  orgId: OrgId.make("acme"),
  userId: UserId.make("ada"),
  projectId: ProjectId.make("launchpad")
}
