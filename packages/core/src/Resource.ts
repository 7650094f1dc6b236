/**
 * Resources: named declarations of what to load and what it depends on.
 *
 * @since 0.1.0
 */
export { forEach } from "./list/ForEach.ts"
export { type Built, fromLayer } from "./loader/FromLayer.ts"
export { fromRequest } from "./request/FromRequest.ts"
export { forEachRequest } from "./list/ForEachRequest.ts"
export { match } from "./choice/Match.ts"
export { fromLoader } from "./loader/FromLoader.ts"
export {
  type AddError,
  annotate,
  type Any,
  catch,
  catchCause,
  type Deps,
  type Failure,
  input,
  type Input,
  type InputOf,
  type Inputs,
  isResource,
  make,
  map,
  option,
  orElseSucceed,
  type Own,
  type OwnError,
  type Resource,
  type Services,
  struct,
  succeed,
  type Success,
  type Values
} from "./model/Resource.ts"
