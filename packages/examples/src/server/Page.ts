/** The page as a service: whoever loads it needs `Page`, and a scope for the place at the desk. */
import { Loader, Resource } from "effect-loader"
import { orgId, page } from "../page/resources.ts"
import { Banners } from "./Banners.ts"
import { Desk } from "./Desk.ts"

const place = Resource.make("place", { load: () => Desk.use((desk) => desk.take) })

const banner = Resource.make("banner", {
  deps: { orgId },
  load: ({ orgId }) => Banners.use((banners) => banners.of(orgId))
})

export class Page extends Loader.Service<Page>()("server/Page", { place, banner, page }, { concurrency: 8 }) {}
