/** The requests that wait to be sent, by identity. */
import type * as Context from "effect/Context"
import { type Identity, sameIdentity, textOf } from "../base/Identity.ts"
import type { Asked } from "./Asked.ts"
import { sameServices } from "./SameServices.ts"

export class Collecting {
  /** By the text of the identity, which most often belongs to one request. */
  private readonly byText = new Map<string, Asked | Array<Asked>>()

  /** An equal request of a caller with the same services. */
  find(identity: Identity, context: Context.Context<never>): Asked | undefined {
    const found = this.byText.get(textOf(identity))
    if (found === undefined) return undefined
    const fits = (asked: Asked): boolean =>
      sameIdentity(asked.identity, identity) && sameServices(asked.context, context)
    if (Array.isArray(found)) return found.find(fits)
    return fits(found) ? found : undefined
  }

  add(asked: Asked): void {
    const text = textOf(asked.identity)
    const found = this.byText.get(text)
    if (found === undefined) this.byText.set(text, asked)
    else if (Array.isArray(found)) found.push(asked)
    else this.byText.set(text, [found, asked])
  }

  remove(asked: Asked): void {
    const text = textOf(asked.identity)
    const found = this.byText.get(text)
    if (!Array.isArray(found)) {
      if (found === asked) this.byText.delete(text)
      return
    }
    const left = found.filter((other) => other !== asked)
    if (left.length === 0) this.byText.delete(text)
    else this.byText.set(text, left)
  }
}
