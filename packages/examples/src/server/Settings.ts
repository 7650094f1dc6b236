/** What the service is told from outside: from the environment, or else by default. */
import { Config, Context, type Duration, Effect, Layer } from "effect"

export class Settings extends Context.Service<
  Settings,
  { readonly cachedBanners: number; readonly bannersLive: Duration.Input }
>()("server/Settings") {
  static readonly layer = Layer.effect(
    Settings,
    Effect.map(Config.withDefault(Config.Int("CACHED_BANNERS"), 100), (cachedBanners) => ({
      cachedBanners,
      bannersLive: "1 minute" as const
    }))
  )
}
