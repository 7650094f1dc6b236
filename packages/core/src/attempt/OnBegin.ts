/** Called when an attempt begins, after its waits for slots and permits: for policies that measure from then. */
import type * as Context from "effect/Context"
import * as RunLocal from "../base/RunLocal.ts"

const nobody = (): void => {}

export const OnBegin: Context.Reference<() => void> = /* @__PURE__ */ RunLocal.make<() => void>("OnBegin", () => nobody)
