import type { Extension } from "../model/Extension.ts"
import { type AnyLoader, changed, compiledOf } from "./Compiled.ts"

/** A loader whose own runs, and not those inside them, have this extension. */
export const extended = <L extends AnyLoader>(self: L, extension: Extension): L =>
  changed(self, { extensions: [...compiledOf(self).extensions, extension] })
