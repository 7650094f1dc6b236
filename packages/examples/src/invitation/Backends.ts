/** What an invitation is made of, and the services that know it. */
import { Context, Data, type Effect, type Scope } from "effect"

export interface Invitation {
  readonly token: string
  readonly team: string
  readonly from: string
}

export class Expired extends Data.TaggedError("Expired")<{ readonly token: string }> {}
export class TeamIsFull extends Data.TaggedError("TeamIsFull")<{ readonly team: string }> {}
export class Unavailable extends Data.TaggedError("Unavailable")<{ readonly host: string }> {}

export class Invitations extends Context.Service<
  Invitations,
  { readonly find: (token: string) => Effect.Effect<Invitation, Expired> }
>()("app/Invitations") {}

export class Teams extends Context.Service<
  Teams,
  {
    readonly nameOf: (team: string) => Effect.Effect<string, Unavailable>
    /** A seat that nobody else can have until the scope is closed. */
    readonly reserveSeat: (team: string) => Effect.Effect<number, TeamIsFull, Scope.Scope>
  }
>()("app/Teams") {}

export class People extends Context.Service<
  People,
  { readonly nameOf: (person: string) => Effect.Effect<string, Unavailable> }
>()("app/People") {}
