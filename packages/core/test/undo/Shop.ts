/** A small world that loads change: what was done is there until it is undone. */
import { Effect } from "effect"
import { Resource, Saga } from "effect-loader"

export class Shop {
  /** What is done and not undone, in the order of doing. */
  readonly done: Array<string> = []
  /** Everything that happened: `+x` done, `-x` undone, `~x` cleaned up. */
  readonly log: Array<string> = []

  do(name: string): Effect.Effect<string> {
    return Effect.sync(() => {
      this.done.push(name)
      this.log.push(`+${name}`)
      return name
    })
  }

  undo(name: string): Effect.Effect<void> {
    return Effect.sync(() => {
      const at = this.done.indexOf(name)
      if (at < 0) throw new Error(`"${name}" was undone, and not done`)
      this.done.splice(at, 1)
      this.log.push(`-${name}`)
    })
  }

  clean(name: string): Effect.Effect<void> {
    return Effect.sync(() => void this.log.push(`~${name}`))
  }

  /** Something that is done after a while, and undone when a load fails later. */
  step<const N extends string, const D extends Resource.Deps = {}>(
    name: N,
    options: { readonly deps?: D; readonly takes?: number; readonly undo?: number } = {}
  ) {
    const { deps, takes = 0, undo = 0 } = options
    return Resource.make(name, {
      ...(deps === undefined ? {} : { deps }),
      load: () => Effect.andThen(pause(takes), this.do(name))
    }).pipe(Saga.compensate((value: string) => Effect.andThen(pause(undo), this.undo(value))))
  }
}

const pause = (millis: number): Effect.Effect<void> => (millis === 0 ? Effect.void : Effect.sleep(millis))

/** A resource that fails after a while. */
export const failing = <const D extends Resource.Deps>(deps: D, takes = 0) =>
  Resource.make("failing", { deps, load: () => Effect.andThen(pause(takes), Effect.fail("no")) })
