/**
 * The types that signatures compute with. Programs need none of them: they are here so that declaration files can name them.
 * What a program reads off a value is `Resource.Success`, `Error`, `Services` and `Input`, and the same of `Loader`.
 *
 * @since 0.1.0
 */
export type { AnyEffect } from "./base/AnyEffect.ts"
export type { Identity, WithEquals } from "./base/Identity.ts"
export type { AnyRequest, AnyResolver } from "./batching/AnyResolver.ts"
export type { CaseOf, Complete, Decider, Exact, Unmatched } from "./choice/Match.ts"
export type { Gradient2State } from "./limiter/algorithm/Gradient2.ts"
export type { Baseline, BaselineProbe, Baselines, VegasState } from "./limiter/algorithm/Vegas.ts"
export type { EachPolicy, ForValues } from "./list/ForEach.ts"
export type { Provided, ProvidedBy } from "./loader/FromLayer.ts"
export type { Mapped } from "./loader/FromLoader.ts"
export type { Args, Given, LoaderOf, MissingInputs, OptionsError, OptionsServices, Piped } from "./loader/Loader.ts"
export type {
  Flat,
  PlainValue,
  Renamed,
  ReplacementError,
  ReplacementInput,
  ReplacementServices
} from "./loader/Override.ts"
export type { ServiceOptions, ServiceShape, TestValue } from "./loader/Service.ts"
export type { Identifiers, Keys } from "./loader/ToLayer.ts"
export type { List } from "./model/List.ts"
export type {
  Composable,
  Composed,
  PolicyError,
  PolicyOf,
  PolicyServices,
  ReadsErrors,
  Same,
  Shared,
  Sharing
} from "./model/Policy.ts"
export type {
  AddError,
  Ancestors,
  ByKey,
  InputOf,
  Inputs,
  Own,
  OwnError,
  Unkeyed,
  Values,
  WithoutOwn
} from "./model/Resource.ts"
export type { ClassOfLimiter } from "./permits/Limit.ts"
export type { ClassOfCache } from "./policy/Cache.ts"
export type { AfterTags, OneOrMore, Tagged, Tags } from "./model/CatchTag.ts"
export type { MappedError } from "./model/MapError.ts"
export type { AskError } from "./request/FromRequest.ts"
