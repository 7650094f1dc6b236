/** Time for tests: virtual, and as much of it as anybody could need. */
import { VirtualTime } from "effect-loader/testing"

/** Runs an effect on a clock that moves on by itself. */
export const withTime = VirtualTime.run
