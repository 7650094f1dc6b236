/** The memo map with which a start-up graph builds its layers. Layers that share the map are built once. */
import type * as Layer from "effect/Layer"
import { make } from "../base/RunLocal.ts"

export const BuildMemo = /* @__PURE__ */ make<Layer.MemoMap | undefined>("BuildMemo", () => undefined)
