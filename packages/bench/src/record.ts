/** What was reached, kept in the repository: tests fail where more is measured. `--record` of a command writes it. */
import { execFile } from "node:child_process"
import { readFile, writeFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

const fileOf = (name: string): string => fileURLToPath(new URL(`../results/${name}.json`, import.meta.url))

export const readRecord = async <A>(name: string): Promise<A> => JSON.parse(await readFile(fileOf(name), "utf8"))

export const writeRecord = async (name: string, record: object): Promise<void> => {
  await writeFile(fileOf(name), JSON.stringify(record))
  // The file is kept in the repository, so it is formatted as all files there are.
  const oxfmt = fileURLToPath(new URL("../../../node_modules/.bin/oxfmt", import.meta.url))
  await promisify(execFile)(oxfmt, [fileOf(name)])
}
