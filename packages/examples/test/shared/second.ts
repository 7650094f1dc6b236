/** The second process: it loads what it is told to, and says what became of it. */
import { answering } from "../kit/otherProcess.ts"
import { answer, processOn } from "./process.ts"

answering(processOn(process.argv[2]!), answer)
