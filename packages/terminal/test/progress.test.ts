/** The live view shows what each run does, stops with it, and a broken stream changes nothing. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schedule } from "effect"
import { Loader, Observer, Policy, Resource, type RunEvent } from "effect-loader"
import { Progress } from "@effect-loader/terminal"
import { TestClock } from "effect/testing"
import { plainPen, Timeline } from "effect-loader/internal"
import { withTime } from "../../core/test/withTime.ts"
import { toFrame } from "../src/Frame.ts"
import { golden } from "./golden.ts"
import { WrittenStream } from "./WrittenStream.ts"

const goldenProgress = (name: string, text: string) => golden(`progress-${name}.txt`, text)

const wait = (name: string, millis: number, deps: Record<string, Resource.Any> = {}) =>
  Resource.make(name, { deps, load: () => Effect.sleep(millis) })

const page = () => {
  let attempts = 0
  const org = wait("org", 100)
  const user = wait("user", 40)
  const avatar = Resource.make("avatar\u001b[2J", { deps: { user }, load: () => Effect.fail("none") }).pipe(
    Resource.catch(() => Effect.sleep(80))
  )
  const flaky = Resource.make("flaky", {
    load: () =>
      Effect.andThen(
        Effect.sleep(20),
        Effect.suspend(() => (++attempts < 3 ? Effect.fail("busy") : Effect.void))
      )
  }).pipe(Policy.retry({ times: 2, schedule: Schedule.spaced(50) }))
  const bad = Resource.make("bad", { deps: { user }, load: () => Effect.fail("down") })
  const members = wait("members", 60, { org })
  return Loader.make({ org, avatar, flaky, members, bad, last: wait("last", 10) }, { name: "page", concurrency: 3 })
}

describe("Progress", () => {
  it.effect("shows what runs, waits, is tried again and failed, in the room there is", () =>
    Effect.gen(function* () {
      const timelines = new Map<number, Timeline>()
      const onEvent = (event: RunEvent.RunEvent) => {
        if (event._tag === "RunStarted") timelines.set(event.run, new Timeline(event))
        timelines.get(event.run)!.add(event)
      }
      const two = Effect.all([Loader.settle(page()), Loader.settle(page())], { concurrency: 2 })
      const fiber = yield* Effect.forkChild(Observer.observe(two, onEvent), { startImmediately: true })
      const all = () => Array.from(timelines.values())
      yield* TestClock.adjust(15)
      yield* goldenProgress("early", toFrame(all().slice(0, 1), 15, { columns: 60, rows: 20 }, plainPen))
      yield* TestClock.adjust(30)
      yield* goldenProgress("one-run", toFrame(all().slice(0, 1), 45, { columns: 60, rows: 20 }, plainPen))
      yield* goldenProgress("two-runs", toFrame(all(), 45, { columns: 40, rows: 8 }, plainPen))
      yield* goldenProgress(
        "little-room",
        toFrame([...all(), ...all(), ...all()], 45, { columns: 40, rows: 5 }, plainPen)
      )
      assert.strictEqual(toFrame([], 45, { columns: 40, rows: 5 }, plainPen), "")
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("writes a few plain lines where nothing can be written over", () =>
    Effect.gen(function* () {
      const stream = new WrittenStream(false)
      yield* withTime(Loader.settle(page()).pipe(Effect.provide(Progress.layer(stream.options))))
      const slow = Loader.make(
        { slow: wait("slow", 500), next: wait("next", 1) },
        { name: "other", timeout: 50, concurrency: 1 }
      )
      yield* withTime(Effect.exit(Loader.load(slow)).pipe(Effect.provide(Progress.layer(stream.options))))
      yield* goldenProgress("plain", stream.text.trimEnd())
      assert.notInclude(stream.text, "\u001b")
      assert.strictEqual(stream.listenerCount("error"), 0)
    })
  )

  it.effect("writes frames over each other on a terminal while something runs, and leaves summaries", () =>
    Effect.gen(function* () {
      const stream = new WrittenStream(true)
      const program = Effect.gen(function* () {
        yield* Loader.settle(page())
        const after = stream.text.length
        yield* Effect.sleep("1 hour")
        assert.strictEqual(stream.text.length, after, "nothing is drawn while nothing runs")
        yield* Effect.all([Loader.settle(page()), Loader.settle(page())], { concurrency: 2 })
      })
      yield* withTime(program.pipe(Effect.provide(Progress.layer(stream.options))))
      assert.include(stream.text, '"page" 80ms')
      assert.lengthOf(stream.text.match(/✗ "page" took/g)!, 3)
      assert.strictEqual(stream.listenerCount("error"), 0)
    })
  )

  it.effect("writes plain lines on a terminal that does not know its size", () =>
    Effect.gen(function* () {
      const [terminal, file] = [new WrittenStream(true, 0), new WrittenStream(false, 80)]
      for (const stream of [terminal, file]) {
        yield* withTime(Loader.settle(page()).pipe(Effect.provide(Progress.layer(stream.options))))
      }
      assert.strictEqual(terminal.text, file.text)
    })
  )

  it.effect("changes nothing when the stream is broken", () =>
    Effect.gen(function* () {
      for (const isTTY of [true, false]) {
        const stream = new WrittenStream(isTTY)
        stream.write = () => {
          stream.emit("error", new Error("EPIPE"))
          throw new Error("EPIPE")
        }
        const one = Resource.make("one", { load: () => Effect.as(Effect.sleep(200), 1) })
        const load = Loader.load(Loader.make({ one })).pipe(Effect.provide(Progress.layer(stream.options)))
        assert.deepStrictEqual(yield* withTime(load), { one: 1 })
      }
    })
  )

  it.effect("ends with its run when that is interrupted", () =>
    Effect.gen(function* () {
      const stream = new WrittenStream(true)
      const load = Loader.load(Loader.make({ slow: wait("slow", 10_000) })).pipe(
        Effect.provide(Progress.layer(stream.options))
      )
      const fiber = yield* Effect.forkChild(load, { startImmediately: true })
      yield* TestClock.adjust(500)
      yield* Fiber.interrupt(fiber)
      assert.include(stream.text, '✗ "anonymous" was interrupted after 500ms')
      const after = stream.text.length
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(stream.text.length, after)
    })
  )
})
