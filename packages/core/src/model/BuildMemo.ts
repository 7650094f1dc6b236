/** The memo map of the layer that a start-up graph builds: what the graph builds is built once for all that shares the map. */
import type * as Layer from "effect/Layer"
import { make } from "../base/RunLocal.ts"

export const BuildMemo = /* @__PURE__ */ make<Layer.MemoMap | undefined>("BuildMemo", () => undefined)
