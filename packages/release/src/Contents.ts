/** The files of a tarball that are made while it is packed. */
import * as fs from "node:fs"
import * as path from "node:path"
import { absoluteLinks } from "./AbsoluteLinks.ts"
import { publishedManifest } from "./PublishedManifest.ts"
import { type Package, root } from "./Workspace.ts"

const read = (at: string, file: string): string => fs.readFileSync(path.join(at, file), "utf8")

/** The words of AGENTS.md for programs that use the library: the rest is for those that change it. */
const forUsers = (text: string): string => {
  const end = text.indexOf("\n## Changing the library")
  if (end < 0) throw new Error('AGENTS.md has no section "Changing the library"')
  return `${text.slice(0, end).trimEnd()}\n`
}

/**
 * What is written into the folder of a package before it is packed, by name.
 *
 * The README of `effect-loader` is the one at the top of the repository. Links are absolute everywhere.
 */
export const contents = (self: Package, at: string = root): ReadonlyMap<string, string> => {
  const folder = path.relative(at, self.folder).replaceAll(path.sep, "/")
  const isCore = self.manifest.name === "effect-loader"
  const readme = isCore ? "README.md" : `${folder}/README.md`
  return new Map([
    // Without a line break at the end, as pnpm writes it: then the tarballs of npm and pnpm have the same bytes.
    ["package.json", JSON.stringify(publishedManifest(self, at), null, 2)],
    ["README.md", absoluteLinks(read(at, readme), readme, at)],
    ["LICENSE", read(at, "LICENSE")],
    ...(isCore ? [["AGENTS.md", absoluteLinks(forUsers(read(at, "AGENTS.md")), "AGENTS.md", at)] as const] : [])
  ])
}
