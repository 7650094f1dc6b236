/**
 * Resources: named declarations of what to load and what it depends on.
 *
 * @since 0.1.0
 */
export { forEach } from "./list/ForEach.ts"
export { type Built, fromLayer } from "./loader/FromLayer.ts"
export { fromRequest } from "./request/FromRequest.ts"
export { forEachRequest } from "./list/ForEachRequest.ts"
export { as } from "./model/As.ts"
export { catchTag } from "./model/CatchTag.ts"
export { mapError } from "./model/MapError.ts"
export { orNull } from "./model/OrNull.ts"
export { result } from "./model/ResultOf.ts"
export { tap } from "./policy/Tap.ts"
export { match } from "./choice/Match.ts"
export { fromLoader } from "./loader/FromLoader.ts"
export {
  annotate,
  type Any,
  catch,
  catchCause,
  type Deps,
  type Failure as Error,
  input,
  type Input,
  isResource,
  make,
  map,
  option,
  orElseSucceed,
  type Resource,
  type Services,
  struct,
  succeed,
  type Success
} from "./model/Resource.ts"
