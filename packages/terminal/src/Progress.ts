/**
 * A live view of runs.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type * as Layer from "effect/Layer"
import { Observer, type RunEvent } from "effect-loader"
import { type Pen, Timeline } from "effect-loader/internal"
import { createLogUpdate } from "log-update"
import { toEnding, toFrame } from "./Frame.ts"
import { linesOf } from "./PlainLines.ts"
import { columnsOf, isLive, type Stream, streamOf, type TerminalOptions, terminalPen } from "./Terminal.ts"

/** How long a frame stands, in milliseconds: often enough to look alive, seldom enough to cost nothing. */
const frameMillis = 80

/** The runs that go on, in the order in which they began. */
class Runs {
  private readonly timelines = new Map<number, Timeline>()

  get all(): ReadonlyArray<Timeline> {
    return Array.from(this.timelines.values())
  }

  /** Takes an event, and gives its run, which is forgotten when it is over: what is undone later has no place here. */
  add(event: RunEvent.RunEvent): Timeline | undefined {
    let timeline = this.timelines.get(event.run)
    if (event._tag === "RunStarted") this.timelines.set(event.run, (timeline = new Timeline(event)))
    timeline?.add(event)
    if (event._tag === "RunEnded") this.timelines.delete(event.run)
    return timeline
  }
}

/** What is written to a stream may get lost, when nobody is there to read it; the runs go on. */
const quietly = (write: () => void): void => {
  try {
    write()
  } catch {
    // Watching changes nothing, and there is nowhere to say it.
  }
}

/** Keeps a stream whose reader has gone from ending the process. */
const ignoringErrors = (stream: Stream) => {
  const ignore = (): void => {}
  return Effect.acquireRelease(
    Effect.sync(() => stream.on("error", ignore)),
    () => Effect.sync(() => stream.off("error", ignore))
  )
}

const watching = (onEvent: (event: RunEvent.RunEvent) => void): Observer.Watch => {
  const watcher = { onEvent }
  return () => watcher
}

const plain = (options: TerminalOptions, pen: Pen): Observer.Watch => {
  const runs = new Runs()
  const stream = streamOf(options)
  return watching((event) => {
    const timeline = runs.add(event)
    if (timeline === undefined) return
    for (const line of linesOf(event, timeline, columnsOf(options), pen)) quietly(() => stream.write(`${line}\n`))
  })
}

const live = Effect.fnUntraced(function* (options: TerminalOptions, pen: Pen) {
  const runs = new Runs()
  const stream = streamOf(options)
  const clock = yield* Clock.Clock
  const active = yield* Latch.make(false)
  const view = createLogUpdate(stream as unknown as NodeJS.WriteStream)
  const size = () => ({ columns: columnsOf(options), rows: Math.max(4, (stream.rows ?? 24) - 1) })
  const show = (): void => {
    const { all } = runs
    if (all.length === 0) return
    const now = Number(clock.currentTimeNanosUnsafe()) / 1e6
    quietly(() => view(toFrame(all, now, size(), pen)))
  }
  const frames = active.await.pipe(
    Effect.andThen(Effect.sync(show)),
    Effect.andThen(Effect.sleep(frameMillis)),
    Effect.forever
  )
  yield* Effect.forkScoped(frames)
  yield* Effect.addFinalizer(() => Effect.sync(() => quietly(() => view.done())))
  return watching((event) => {
    const timeline = runs.add(event)
    if (event._tag === "RunStarted") active.openUnsafe()
    if (event._tag !== "RunEnded" || timeline === undefined) return
    quietly(() => view.clear())
    quietly(() => stream.write(`${toEnding(timeline, columnsOf(options), pen)}\n`))
    if (runs.all.length > 0) return show()
    active.closeUnsafe()
    quietly(() => view.done())
  })
})

/**
 * Shows what runs, waits and is tried again, while it does, for all the runs of whatever it is provided to.
 *
 * On a terminal a view of a few lines is written over again and again, and a summary of each run stays. Anywhere else
 * there is a line when a run begins, one for each failed attempt, retry and fallback, and the same summary. See
 * {@link TerminalOptions}.
 *
 * What others write to the same terminal in between is in the way of the view: send logs elsewhere.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 * import { Progress } from "@effect-loader/terminal"
 *
 * const org = Resource.make("org", { load: () => Effect.as(Effect.sleep("10 millis"), "acme") })
 * const page = Loader.make({ org }, { name: "page" })
 *
 * Effect.runPromise(Loader.load(page).pipe(Effect.provide(Progress.layer())))
 * // "page" started, 1 resource
 * // ✓ "page" took
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: TerminalOptions = {}): Layer.Layer<never> =>
  Observer.layerWatch(
    Effect.gen(function* () {
      const stream = streamOf(options)
      const pen = terminalPen(options)
      yield* ignoringErrors(stream)
      return isLive(options) ? yield* live(options, pen) : plain(options, pen)
    })
  )
