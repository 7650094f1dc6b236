/** The requests that wait to be sent, found by equality. */
import { type Context, Equal, Hash } from "effect"
import type { Asked } from "./Asked.ts"
import type { AnyRequest } from "./AnyResolver.ts"
import { sameServices } from "./SameServices.ts"

export class Collecting {
  /** By hash; most hashes are those of one request. */
  private readonly byHash = new Map<number, Asked | Array<Asked>>()

  /** An equal request of somebody with the same services. */
  find(hash: number, request: AnyRequest, context: Context.Context<never>): Asked | undefined {
    const fits = (asked: Asked): boolean => Equal.equals(asked.request, request) && sameServices(asked.context, context)
    const found = this.byHash.get(hash)
    if (Array.isArray(found)) return found.find(fits)
    return found !== undefined && fits(found) ? found : undefined
  }

  add(asked: Asked): void {
    const found = this.byHash.get(asked.hash)
    if (found === undefined) this.byHash.set(asked.hash, asked)
    else if (Array.isArray(found)) found.push(asked)
    else this.byHash.set(asked.hash, [found, asked])
  }

  /** Removes what was asked with just this request, from just this context. */
  take(request: AnyRequest, context: unknown): Asked | undefined {
    const hash = Hash.hash(request)
    const found = this.byHash.get(hash)
    const isIt = (asked: Asked): boolean => asked.request === request && asked.context === context
    if (!Array.isArray(found)) {
      if (found === undefined || !isIt(found)) return undefined
      this.byHash.delete(hash)
      return found
    }
    const at = found.findIndex(isIt)
    if (at < 0) return undefined
    const [taken] = found.splice(at, 1)
    if (found.length === 0) this.byHash.delete(hash)
    return taken
  }
}
