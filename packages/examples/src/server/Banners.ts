/** A cache of what stands at the top of each page. It lives in memory; its warm-up takes a while, by a sleep. */
import { Cache, Context, Effect, Layer } from "effect"
import { Settings } from "./Settings.ts"

export const warmUp = 80

export class Banners extends Context.Service<Banners, { readonly of: (org: string) => Effect.Effect<string> }>()(
  "server/Banners"
) {
  static readonly layer = Layer.effect(
    Banners,
    Effect.gen(function* () {
      const { bannersLive, cachedBanners } = yield* Settings
      const cache = yield* Cache.make({
        capacity: cachedBanners,
        timeToLive: bannersLive,
        lookup: (org: string) => Effect.succeed(`Welcome, ${org}`)
      })
      yield* Effect.sleep(warmUp)
      return { of: (org) => Cache.get(cache, org) }
    })
  )
}
