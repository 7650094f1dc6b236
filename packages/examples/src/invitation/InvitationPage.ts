/** The page that somebody sees who follows an invitation: what it is made of, and what it says. */
import { Effect, Option, Schedule } from "effect"
import { Loader, Policy, Resource } from "effect-loader"
import { Invitations, People, Teams } from "./Backends.ts"

const token = Resource.input<string>()("token")

const invitation = Resource.make("invitation", {
  deps: { token },
  load: ({ token }) => Invitations.use((invitations) => invitations.find(token))
}).pipe(Policy.timeout("1 second"))

/** The directory of teams is slow at times: two more attempts, half a second each. */
export const team = Resource.make("team", {
  deps: { invitation },
  load: ({ invitation }) => Teams.use((teams) => teams.nameOf(invitation.team))
}).pipe(Policy.timeout("500 millis"), Policy.retry({ times: 2, schedule: Schedule.spaced("100 millis") }))

export const seat = Resource.make("seat", {
  deps: { invitation },
  load: ({ invitation }) => Teams.use((teams) => teams.reserveSeat(invitation.team))
})

/** Nice to have: the page does without. */
export const from = Resource.make("from", {
  deps: { invitation },
  load: ({ invitation }) => People.use((people) => people.nameOf(invitation.from))
}).pipe(Policy.timeout("200 millis"))

export class InvitationPage extends Loader.Service<InvitationPage>()(
  "app/InvitationPage",
  { team, seat, from: from.pipe(Resource.option) },
  { timeout: "3 seconds" }
) {}

const later = "Please try again in a moment."

/** What the page says. It never fails: whatever goes wrong, there is something to say. */
export const welcome = (token: string) =>
  Effect.scoped(InvitationPage.load({ token })).pipe(
    Effect.map(({ from, seat, team }) => {
      const who = Option.match(from, { onNone: () => "You are invited", onSome: (name) => `${name} has invited you` })
      return `${who} to ${team}. Seat ${seat} is yours.`
    }),
    Effect.catchTags({
      LoadTimeout: () => Effect.succeed(later),
      ResourceError: ({ error }) => {
        if (error._tag === "Expired") return Effect.succeed("This invitation has expired.")
        return Effect.succeed(error._tag === "TeamIsFull" ? "Every seat of this team is taken." : later)
      }
    })
  )
