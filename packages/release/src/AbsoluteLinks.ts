/** Markdown that is read outside of the repository. */
import * as fs from "node:fs"
import * as path from "node:path"
import { readRootManifest, root } from "./Workspace.ts"

/** Blocks of code, which have brackets of their own. */
const block = /(^```.*?^```$)/gms

/** A link or a picture, whose words may be code; or code, which may have the looks of a link. */
const linkOrCode = /(!?)\[((?:[^[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)|`[^`\n]*`/g

/**
 * A Markdown text of the repository with its relative links made absolute: files and folders at `main`, pictures as
 * they are. `file` is where the text stands, from the top of the repository. Fails for a link that leads nowhere.
 */
export const absoluteLinks = (text: string, file: string, at: string = root): string => {
  const { repository } = readRootManifest(at)
  const base = repository.url.replace(/^git\+/, "").replace(/\.git$/, "")
  const absolute = (target: string, isPicture: boolean): string => {
    const [relative, anchor] = target.split("#") as [string, string?]
    const from = path.posix.normalize(path.posix.join(path.posix.dirname(file), relative))
    const found = fs.statSync(path.join(at, from), { throwIfNoEntry: false })
    if (found === undefined) throw new Error(`${file} links to ${target}, which does not exist`)
    const kind = isPicture ? "raw" : found.isDirectory() ? "tree" : "blob"
    return `${base}/${kind}/main/${from}${anchor === undefined ? "" : `#${anchor}`}`
  }
  return text
    .split(block)
    .map((part, i) =>
      i % 2 === 1
        ? part
        : part.replaceAll(linkOrCode, (whole, mark?: string, words?: string, target?: string) =>
            target === undefined || /^(\w+:|#)/.test(target)
              ? whole
              : `${mark}[${words}](${absolute(target, mark === "!")})`
          )
    )
    .join("")
}
