/** Another process of a test, which answers what it is asked. It ends when the first one lets go of it. */
import { Effect, type Layer, ManagedRuntime, type Scope } from "effect"
import { fork } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"

/** Starts a program of this folder's parent. What it gives asks it something, and waits for the answer. */
export const otherProcess = <Question extends string, Answer>(
  program: string,
  ...args: ReadonlyArray<string>
): Effect.Effect<(question: Question) => Effect.Effect<Answer>, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => fork(join(import.meta.dirname, "..", program), args)),
    (child) =>
      Effect.promise(async () => {
        if (child.exitCode !== null || child.signalCode !== null) return
        child.disconnect()
        await once(child, "exit")
      })
  ).pipe(
    Effect.map(
      (child) => (question) =>
        Effect.promise(async () => {
          const answer = once(child, "message")
          child.send(question)
          const [given]: ReadonlyArray<Answer> = await answer
          return given!
        })
    )
  )

/** What such a program does: it answers each question by an effect, with services that it has for as long as it runs. */
export const answering = <Question extends string, Answer, E, R>(
  layer: Layer.Layer<R, unknown>,
  answer: (question: Question) => Effect.Effect<Answer, E, R>
): void => {
  const runtime = ManagedRuntime.make(layer)
  process.on("message", (question: Question) => {
    void runtime.runPromise(answer(question)).then((given) => process.send?.(given))
  })
  process.once("disconnect", () => void runtime.dispose())
}
