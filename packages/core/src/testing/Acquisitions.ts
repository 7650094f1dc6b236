/** The entries of a ledger, and the attempts that hold them. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as RunLocal from "../base/RunLocal.ts"
import type { Plan } from "../compile/Plan.ts"
import { newObserverKey, withObserver } from "../watch/Observers.ts"
import type { Ledger } from "./Ledger.ts"

/** The attempt that holds an acquisition. */
interface Holder {
  readonly plan: Plan
  readonly resource: string
  readonly attempt: number | undefined
}

export const CurrentHolder = /* @__PURE__ */ RunLocal.make<Holder | undefined>("testing/Holder", () => undefined)

/** One acquisition: when it was made and released, in turns of its ledger. */
export interface Acquisition {
  readonly name: string
  readonly acquired: number
  readonly releases: Array<number>
  /** The attempt that holds it in a scope; `undefined` if it has no place in the order of releases. */
  readonly holder: Holder | undefined
}

export class Acquisitions implements Ledger {
  entries: Array<Acquisition> = []
  private turn = 0

  get open(): ReadonlyArray<string> {
    return this.entries.flatMap(({ name, releases }) => (releases.length === 0 ? [name] : []))
  }

  get acquired(): number {
    return this.entries.length
  }

  acquire(name: string, holder: Holder | undefined): Acquisition {
    const entry = { name, acquired: this.turn++, releases: [], holder }
    this.entries.push(entry)
    return entry
  }

  release(entry: Acquisition): void {
    entry.releases.push(this.turn++)
  }
}

export const acquisitionsOf = (self: Ledger): Acquisitions => self as Acquisitions

/** Empties a ledger. */
export const clear = (self: Ledger): void => {
  acquisitionsOf(self).entries = []
}

/** Runs an effect so that its ledgers know the holder of each acquisition. */
export const watched = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
  const watch = () => {
    let plan: Plan | undefined
    return {
      onEvent: (event: { readonly _tag: string; readonly plan?: Plan }) => void (plan ??= event.plan),
      within: (context: Context.Context<never>, resource: string, attempt: number | undefined) =>
        Context.add(context, CurrentHolder, plan && { plan, resource, attempt })
    }
  }
  return Effect.updateContext(
    self,
    (context) => withObserver(context as Context.Context<never>, newObserverKey(), watch) as Context.Context<R>
  )
}
