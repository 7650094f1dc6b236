/**
 * Files that stand in for others while a package is packed.
 *
 * npm packs what is on disk, and rewrites nothing. So the files of the tarball are written before it packs, and
 * what they replace is put back afterwards, or before the next time where packing was cut short.
 */
import * as fs from "node:fs"
import * as path from "node:path"

/** Where the replaced files wait: a folder that is neither packed nor committed. */
const kept = ".prepack"

const made = "made.json"

/** Puts back the files that were replaced, and removes those that replaced nothing. */
export const restore = (folder: string): void => {
  const from = path.join(folder, kept)
  if (!fs.existsSync(path.join(from, made))) return fs.rmSync(from, { recursive: true, force: true })
  for (const file of JSON.parse(fs.readFileSync(path.join(from, made), "utf8")) as ReadonlyArray<string>) {
    const original = path.join(from, file)
    if (fs.existsSync(original)) fs.copyFileSync(original, path.join(folder, file))
    else fs.rmSync(path.join(folder, file), { force: true })
  }
  fs.rmSync(from, { recursive: true })
}

/** Writes files into a folder, and keeps those that they replace. */
export const replace = (folder: string, files: ReadonlyMap<string, string>): void => {
  restore(folder)
  const to = path.join(folder, kept)
  fs.mkdirSync(to)
  for (const file of files.keys()) {
    const original = path.join(folder, file)
    if (fs.existsSync(original)) fs.copyFileSync(original, path.join(to, file))
  }
  // From here on everything that is needed to go back is there.
  fs.writeFileSync(path.join(to, made), JSON.stringify(Array.from(files.keys())))
  for (const [file, text] of files) fs.writeFileSync(path.join(folder, file), text)
}
