/** Runs the program on real servers, or on what stands in for them. */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, Layer } from "effect"
import { bad } from "../terminal/Text.ts"
import * as Origin from "./Origin.ts"
import { program } from "./program.ts"
import { caches } from "./resources.ts"
import * as Shared from "./Shared.ts"

const levels = Layer.merge(Origin.layer, Layer.provideMerge(caches, Shared.layer))

program.pipe(
  Effect.provide(levels.pipe(Layer.provide(NodeServices.layer))),
  Effect.tapError((error) =>
    Console.error(`\n${bad("failed")} ${error instanceof Error ? error.message : String(error)}`)
  ),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
