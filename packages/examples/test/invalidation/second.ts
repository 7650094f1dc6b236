/** The second process: it loads when it is told to, and says what it got. It ends when the first one lets go of it. */
import { ManagedRuntime } from "effect"
import { load, processOn } from "./process.ts"

const runtime = ManagedRuntime.make(processOn(process.argv[2]!))

process.on("message", () => void runtime.runPromise(load).then((answer) => process.send?.(answer)))
process.once("disconnect", () => void runtime.dispose())
