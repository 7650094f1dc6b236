/** Draws the pictures of the guide on protecting backends anew. */
import * as fs from "node:fs"
import * as path from "node:path"
import { pictures } from "./Pictures.ts"

const folder = path.resolve(import.meta.dirname, "../../../../docs/guides/pictures")

fs.mkdirSync(folder, { recursive: true })
for (const [name, draw] of Object.entries(pictures)) fs.writeFileSync(path.join(folder, name), draw())
