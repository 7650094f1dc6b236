/** The second process: it loads when it is told to, and says what it got. */
import { answering } from "../kit/otherProcess.ts"
import { load, processOn } from "./process.ts"

answering(processOn(process.argv[2]!), () => load)
