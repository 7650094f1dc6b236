/** The tarballs of all published packages, packed by npm and by pnpm, and proven to be the same. */
import * as fs from "node:fs"
import * as path from "node:path"
import { run } from "./Command.ts"
import { pnpm } from "./Pnpm.ts"
import { type Package, published } from "./Workspace.ts"

const packers = ["npm", "pnpm"] as const

const pack = (packer: (typeof packers)[number], { folder }: Package, to: string): string => {
  fs.mkdirSync(to, { recursive: true })
  const before = new Set(fs.readdirSync(to))
  const args = ["pack", "--pack-destination", to]
  run({ program: packer === "npm" ? "npm" : pnpm(), args, cwd: folder })
  const made = fs.readdirSync(to).filter((file) => !before.has(file))
  if (made.length !== 1) throw new Error(`${packer} pack made ${made.length} files`)
  return path.join(to, made[0]!)
}

const unpack = (tarball: string, to: string): void => {
  fs.mkdirSync(to, { recursive: true })
  run({ program: "tar", args: ["-xzf", tarball, "-C", to, "--strip-components=1"], cwd: to })
}

/** The files below a folder, each with its text. */
const filesIn = (folder: string): ReadonlyMap<string, string> =>
  new Map(
    fs
      .globSync("**/*", { cwd: folder })
      .filter((file) => fs.statSync(path.join(folder, file)).isFile())
      .toSorted()
      .map((file) => [file, fs.readFileSync(path.join(folder, file), "utf8")])
  )

/** What lies in the folder of a package, beside what it compiles to. */
const namesIn = (folder: string): string =>
  fs
    .readdirSync(folder)
    .filter((file) => file !== "dist")
    .join()

/** The files that two folders do not have alike. */
const differences = (left: string, right: string): ReadonlyArray<string> => {
  const [a, b] = [filesIn(left), filesIn(right)]
  return Array.from(new Set([...a.keys(), ...b.keys()])).filter((file) => a.get(file) !== b.get(file))
}

export interface Tarball {
  readonly name: string
  readonly file: string
  /** Its files, unpacked. */
  readonly unpacked: string
}

/** Packs each package of a staged repository with both, and fails where the two differ, or leave something behind. */
export const tarballs = (staged: string, out: string): ReadonlyArray<Tarball> =>
  published(staged).map((self) => {
    const { name } = self.manifest
    const before = fs.readFileSync(path.join(self.folder, "package.json"), "utf8")
    const listed = namesIn(self.folder)
    const [byNpm, byPnpm] = packers.map((packer) => {
      const file = pack(packer, self, path.join(out, packer))
      const unpacked = path.join(out, packer, "unpacked", name)
      unpack(file, unpacked)
      return { name, file, unpacked }
    }) as [Tarball, Tarball]
    const unequal = differences(byNpm.unpacked, byPnpm.unpacked)
    if (unequal.length > 0) throw new Error(`npm and pnpm pack ${name} differently: ${unequal.join(", ")}`)
    if (fs.readFileSync(path.join(self.folder, "package.json"), "utf8") !== before || namesIn(self.folder) !== listed) {
      throw new Error(`packing changed ${self.folder}`)
    }
    return byNpm
  })
