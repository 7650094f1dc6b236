/**
 * Loads that belong to no run: what a cache has loaded anew, beside. They take permits as any attempt does, but no slot;
 * nobody is told of them, and what they acquire is released with them.
 */
import { Effect } from "effect"
import type { Key } from "../cache/Key.ts"
import type { ItemLoads, Limited, Load } from "../compile/Program.ts"
import { Held } from "../limiter/Held.ts"
import { LimitExceeded } from "../limiter/LimitExceeded.ts"
import type { AnyEffect, Dependencies, Layer, LayerObserver } from "../model/Node.ts"
import type { RunLimits } from "./RunLimits.ts"
import { asEffect, loadOf, wrapIn } from "./Wrapping.ts"

/** What is inside of layers, and what tells its value from others. */
export interface Wrapped {
  readonly step: Load
  readonly load: AnyEffect
  readonly around: Pick<Load, "inner" | "outer" | "limit">
  readonly key: () => Key
}

export const toWrapped = (step: Load, deps: Dependencies, limits: RunLimits | undefined): Wrapped => {
  const { items, key, name } = step
  return {
    step,
    load: items === undefined ? loadOf(step, deps) : allItems(step, items, deps, limits),
    around: step,
    key: () => key?.(deps) ?? { resource: name, of: deps }
  }
}

export const toWrappedItem = (
  step: Load,
  items: ItemLoads,
  deps: Dependencies,
  item: unknown,
  index: number
): Wrapped => ({
  step,
  load: Effect.suspend(() => asEffect(step, items.load(item, deps, index))),
  around: items,
  key: () => items.itemKey?.(item, deps) ?? { resource: step.name, of: { item, deps } }
})

/** What is inside of `layer`; without one, all of it. */
export const outsideRun = (wrapped: Wrapped, layer: Layer | undefined, limits: RunLimits | undefined): AnyEffect => {
  const { around, load, step } = wrapped
  const observer = unheard(wrapped, limits)
  const inner = upTo(around.inner, layer)
  const attempt = permitted(wrapIn(step, inner, Effect.scoped(load), observer), around.limit, limits)
  const whole = inner === around.inner ? wrapIn(step, upTo(around.outer, layer), attempt, observer) : attempt
  // The permits of whoever read last are not for it to borrow: it may well go on when they have been given back.
  return Effect.provideService(whole, Held, nothing)
}

const nothing: Held = new Map()

const upTo = (layers: ReadonlyArray<Layer>, layer: Layer | undefined): ReadonlyArray<Layer> => {
  const end = layer === undefined ? -1 : layers.indexOf(layer)
  return end < 0 ? layers : layers.slice(0, end)
}

/** A refusal is nobody's failure here: whoever waits for this takes permits of their own. */
const permitted = (self: AnyEffect, limit: Limited | undefined, limits: RunLimits | undefined): AnyEffect => {
  if (limit === undefined || limits === undefined) return self
  const { permits, resource } = limit
  return Effect.catchIf(
    limits.limiterOf(limit).withPermit(self, { permits, resource }),
    (error) => error instanceof LimitExceeded,
    () => Effect.interrupt
  )
}

const unheard = (wrapped: Wrapped, limits: RunLimits | undefined): LayerObserver => ({
  resource: wrapped.step.name,
  key: wrapped.key,
  outsideRun: (layer) => outsideRun(wrapped, layer, limits),
  degraded: () => {},
  pausing: () => {},
  hedging: () => {},
  refused: () => {},
  cacheRead: () => {}
})

const allItems = (step: Load, items: ItemLoads, deps: Dependencies, limits: RunLimits | undefined): AnyEffect =>
  Effect.suspend(() =>
    Effect.forEach(
      items.items(deps),
      (item, index) => outsideRun(toWrappedItem(step, items, deps, item, index), undefined, limits),
      { concurrency: items.concurrency }
    )
  )
