/** Who is being served just now. A place at the desk is taken in the scope of a request, and so it is given back. */
import { Context, Effect, Layer, type Scope } from "effect"

export class Desk extends Context.Service<
  Desk,
  {
    readonly take: Effect.Effect<void, never, Scope.Scope>
    readonly count: () => { readonly taken: number; readonly givenBack: number }
  }
>()("server/Desk") {
  static readonly layer = Layer.sync(Desk, () => {
    let taken = 0
    let givenBack = 0
    return {
      take: Effect.acquireRelease(
        Effect.sync(() => void taken++),
        () => Effect.sync(() => void givenBack++)
      ),
      count: () => ({ taken, givenBack })
    }
  })
}
