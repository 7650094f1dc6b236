import type { Extension } from "../model/Extension.ts"
import { type AnyLoader, changed, compiledOf } from "./Compiled.ts"

/** Adds an extension to the runs of a loader, but not to nested runs. */
export const extended = <L extends AnyLoader>(self: L, extension: Extension): L =>
  changed(self, { extensions: [...compiledOf(self).extensions, extension] })
