/** The requests that are not sent yet, by identity. */
import type * as Context from "effect/Context"
import { type Identity, sameIdentity, textOf } from "../base/Identity.ts"
import type { PendingRequest } from "./PendingRequest.ts"
import { sameServices } from "./SameServices.ts"

export class PendingRequests {
  /** By the text of the identity. Usually one request has it. */
  private readonly byText = new Map<string, PendingRequest | Array<PendingRequest>>()

  /** An equal request whose first waiter has the same services. */
  find(identity: Identity, context: Context.Context<never>): PendingRequest | undefined {
    const found = this.byText.get(textOf(identity))
    if (found === undefined) return undefined
    const fits = (pending: PendingRequest): boolean =>
      sameIdentity(pending.identity, identity) && sameServices(pending.context, context)
    if (Array.isArray(found)) return found.find(fits)
    return fits(found) ? found : undefined
  }

  add(pending: PendingRequest): void {
    const text = textOf(pending.identity)
    const found = this.byText.get(text)
    if (found === undefined) this.byText.set(text, pending)
    else if (Array.isArray(found)) found.push(pending)
    else this.byText.set(text, [found, pending])
  }

  remove(pending: PendingRequest): void {
    const text = textOf(pending.identity)
    const found = this.byText.get(text)
    if (!Array.isArray(found)) {
      if (found === pending) this.byText.delete(text)
      return
    }
    const left = found.filter((other) => other !== pending)
    if (left.length === 0) this.byText.delete(text)
    else this.byText.set(text, left)
  }
}
