/** Lists: each item has its own attempts, inside the policies of an item. Items load concurrently. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Attempts } from "../attempt/Attempts.ts"
import { AttemptState } from "../attempt/AttemptState.ts"
import { checkLayers, misplaced } from "../attempt/Check.ts"
import {
  aroundItems,
  attempted,
  extensionsIn,
  sealOf,
  takesPermits,
  toRefusals,
  undoesIn,
  wrapped
} from "../attempt/Layering.ts"
import { effects, type Loading } from "../attempt/Loading.ts"
import { PolicyStack } from "../attempt/PolicyStack.ts"
import type { AnyResolver } from "../batching/AnyResolver.ts"
import { type Kind, withDefaults } from "../model/Kind.ts"
import type { FailureFacts } from "../model/Extension.ts"
import type { FailedItem } from "../model/ResourceError.ts"
import type { AnyEffect, AskMeans, Base, Items, Layer, Source } from "../model/Node.ts"
import type { Attempted, ItemLoads, Step, Wrapped } from "../model/Step.ts"
import { asEffect } from "../model/UserEffect.ts"
import { asked, bareAsks, protects } from "../request/Calls.ts"
import { foreseeing } from "../request/Foreseeing.ts"
import { differingProtections } from "../request/Protections.ts"
import { askForAll, asRequest } from "../request/Requests.ts"
import { undoing } from "../undo/Account.ts"

/** The source of a list. */
export interface ListSource extends Source, Items {
  readonly resolver: AnyResolver | undefined
  readonly means?: AskMeans
}

/** Runs loads concurrently, within the `concurrency` of the list. The first failure interrupts the others. */
const forEach = (
  all: ReadonlyArray<unknown>,
  concurrency: ItemLoads["concurrency"],
  load: (item: unknown, k: number) => AnyEffect
): AnyEffect => Effect.forEach(all, load, { concurrency })

/** Whether the items have no policies, and the attempts of their list are neither counted nor limited. */
const isBare = ({ run }: Attempts, list: Attempted, { asks, inner, limit, outer }: ItemLoads): boolean =>
  asks === undefined &&
  limit === undefined &&
  inner.length + outer.length + list.outer.length === 0 &&
  run.sink === undefined &&
  run.gate === undefined &&
  run.scope === undefined &&
  run.hooks.item === undefined

/** The failures of items. Of several items with one error, the last is found. */
class ItemFailures {
  private readonly all: Array<FailedItem & { readonly attempts: number; readonly error: unknown }> = []

  add({ begun, item }: AttemptState, value: unknown, error: unknown): void {
    this.all.push({ index: item!, value, attempts: begun, error })
  }

  find(error: unknown): FailureFacts | undefined {
    const found = this.all.findLast((failure) => Object.is(failure.error, error))
    return found && { attempts: found.attempts, item: { index: found.index, value: found.value } }
  }
}

/** Records a failed item. Its list keeps the slots until all consequences are applied, so that no other attempt takes them. */
const itemFailed = (attempts: Attempts, state: AttemptState, value: unknown, cause: Cause.Cause<unknown>): void => {
  const list = attempts.of(state.index)
  list.slots += state.slots
  state.slots = 0
  const reason = cause.reasons.find(Cause.isFailReason)
  if (reason === undefined) return
  const failures = (list.failures ??= new ItemFailures()) as ItemFailures
  failures.add(state, value, reason.error)
}

/** The load of one item of a list, inside its policies. */
const oneItem = (attempts: Attempts, stack: PolicyStack, value: unknown, load: AnyEffect): AnyEffect => {
  const { hooks } = attempts.run
  const { state, step } = stack
  const items = step.attempts!.items!
  const held = attempts.inSlot(items, stack.attempt(items.inner, attempts.load(stack, items, load)))
  const attempt = attempts.inScope(held)
  const kept = items.outer.length === 0 ? attempt : (hooks.retried?.(state.index, attempt) ?? attempt)
  const whole = stack.within(items.outer, attempts.watched(stack, items, kept))
  return Effect.onExitPrimitive(hooks.item?.(state.index, state.item!, whole) ?? whole, (exit) => {
    if (Exit.isSuccess(exit)) attempts.offerSlots(state)
    else itemFailed(attempts, state, value, exit.cause)
    return undefined
  })
}

/** The load of an item without layers and observers. */
const bareItem = (
  attempts: Attempts,
  { index, step }: PolicyStack,
  given: () => unknown,
  item: unknown,
  k: number
): AnyEffect =>
  Effect.onExitPrimitive(
    Effect.suspend(() => asEffect(step, "`load`", given())),
    (exit) => {
      if (Exit.isFailure(exit)) itemFailed(attempts, new AttemptState(index, k, 1), item, exit.cause)
      return undefined
    }
  )

const loadAll = (attempts: Attempts, stack: PolicyStack): AnyEffect => {
  const { run } = attempts
  const { deps, index, step } = stack
  const list = step.attempts!
  const items = list.items!
  const { concurrency, load } = items
  const all = items.read(step, items.items(deps))
  run.sink?.(index, undefined, { _tag: "ItemsStarted", items: all.length })
  const asks = run.sink === undefined ? bareAsks(items) : undefined
  if (asks !== undefined) {
    const requests = all.map((item, k) => asRequest(step, load(item, deps, k)))
    const onFailure = (k: number, cause: Cause.Cause<unknown>): void =>
      itemFailed(attempts, new AttemptState(index, k, 1), all[k], cause)
    return attempts.load(
      stack,
      items,
      Effect.suspend(() => askForAll(run, index, asks, requests, onFailure))
    )
  }
  if (isBare(attempts, list, items)) {
    return attempts.load(
      stack,
      items,
      forEach(all, concurrency, (item, k) => bareItem(attempts, stack, () => load(item, deps, k), item, k))
    )
  }
  run.hooks.listed?.(index, all.length, concurrency === "unbounded" ? Infinity : concurrency)
  const loads = forEach(all, concurrency, (value, k) => {
    const state = new AttemptState(index, k, 0)
    const item = new PolicyStack(attempts, state, step, deps, {
      items,
      value,
      index: k,
      failed: (cause) => itemFailed(attempts, state, value, cause)
    })
    return oneItem(
      attempts,
      item,
      value,
      (items.loading as Loading).inRun(attempts, item, () => load(value, deps, k))
    )
  })
  // A list has the side effects of its items.
  return all.length === 0 ? (run.hooks.load?.(stack, loads) ?? loads) : loads
}

/** Makes the step of a list. Outside of runs, too, it loads its items. */
const items: Loading = {
  inRun: (attempts, stack) => Effect.suspend(() => loadAll(attempts, stack)),
  // The attempts of a list are those of its items.
  again: (attempts, { state }, self) =>
    Effect.suspend(() => {
      state.attempts++
      // The list has kept the slots of failed items; the next items use them.
      attempts.offerSlots(state)
      return self
    }),
  outside: () => Effect.never
}

/** The load of an item, which may run other loaders. */
const itemEffects: Loading = {
  inRun: (attempts, stack, given) => {
    const load = effects.inRun(attempts, stack, given)
    return attempts.run.hooks.enclose?.(stack.index, stack.state.item, load) ?? load
  },
  outside: effects.outside
}

const itemsIn = (source: ListSource, defaults: ReadonlyArray<Layer>, base: Base): Wrapped => {
  const { asking, each, means, resolver } = source
  const isAsked = resolver !== undefined && means !== undefined
  // A kind of policy that the list has is not taken from the default policy for items.
  const forItems = base.layers.filter(isAsked ? protects : takesPermits)
  const own = defaults.filter(({ kind }) => forItems.every((layer) => layer.kind !== kind))
  const layers = withDefaults(each, own)
  return isAsked
    ? asked(resolver, means, asking === undefined ? {} : { asking })(layers, base.name, forItems)
    : { ...wrapped(layers, base.name, forItems), loading: itemEffects }
}

const noLoad = (): undefined => undefined

export const listKind: Kind = {
  name: "list",
  check: (base, defaults) => {
    const { each, itemKey, key } = base.source as ListSource
    return [
      // The index identifies an item, so two lists of one resource must not load concurrently, as in a hedge.
      ...base.layers
        .filter(({ kind }) => kind === "hedge")
        .map((layer) => misplaced(base, layer, "a list is hedged item by item: give it as `each`")),
      ...checkLayers(base, { layers: base.layers, source: { key }, further: each.filter(takesPermits) }),
      ...checkLayers(base, { layers: each, source: { key: itemKey } }, defaults)
    ]
  },
  checkAll: differingProtections,
  toStep: (base, common, { defaults }): Step => {
    const source = base.source as ListSource
    const isAsked = source.resolver !== undefined
    const around = aroundItems(isAsked ? base.layers.map(toRefusals) : base.layers, items)
    const { itemKey, key } = source
    const loads: ItemLoads = { ...source, ...itemsIn(source, defaults, base) }
    const seal = sealOf({ ...around, asks: loads.asks }, key) ?? sealOf(loads, itemKey)
    // What its items do may be undone.
    const undoes = loads.asks === undefined || undoesIn(around) || undoesIn(loads)
    const loaded = { items: { ...loads, seal }, key, load: noLoad, undoes }
    return attempted(common, around, loaded, [...extensionsIn(loads), foreseeing, undoing])
  }
}
