/** The requests that wait to be sent, found by equality. */
import { type Context, Equal } from "effect"
import type { AnyRequest } from "./AnyResolver.ts"
import type { Asked } from "./Asked.ts"
import { sameServices } from "./SameServices.ts"

export class Collecting {
  /** By hash; most hashes are those of one request. */
  private readonly byHash = new Map<number, Asked | Array<Asked>>()

  /** An equal request of somebody with the same services. */
  find(hash: number, request: AnyRequest, context: Context.Context<never>): Asked | undefined {
    const found = this.byHash.get(hash)
    if (found === undefined) return undefined
    const fits = (asked: Asked): boolean => Equal.equals(asked.request, request) && sameServices(asked.context, context)
    if (Array.isArray(found)) return found.find(fits)
    return fits(found) ? found : undefined
  }

  add(asked: Asked): void {
    const found = this.byHash.get(asked.hash)
    if (found === undefined) this.byHash.set(asked.hash, asked)
    else if (Array.isArray(found)) found.push(asked)
    else this.byHash.set(asked.hash, [found, asked])
  }

  remove(asked: Asked): void {
    const found = this.byHash.get(asked.hash)
    if (!Array.isArray(found)) {
      if (found === asked) this.byHash.delete(asked.hash)
      return
    }
    const left = found.filter((other) => other !== asked)
    if (left.length === 0) this.byHash.delete(asked.hash)
    else this.byHash.set(asked.hash, left)
  }
}
