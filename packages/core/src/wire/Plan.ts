import * as Schema from "effect/Schema"
import type * as CorePlan from "../compile/Plan.ts"
import { Names, Unknown } from "./Parts.ts"

const Part = Schema.Struct({ kind: Schema.String, label: Schema.String })

/**
 * The schema of a plan.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Plan: Schema.Codec<CorePlan.Plan, unknown> = Schema.Struct({
  loader: Schema.String,
  scheduling: Schema.Literals(["eager", "batched"]),
  concurrency: Schema.optionalKey(Schema.Number),
  timeout: Schema.optionalKey(Schema.Number),
  resources: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      kind: Schema.Literals(["input", "constant", "load", "request", "list", "loader", "struct", "match"]),
      dependencies: Names,
      dependents: Names,
      batch: Schema.Number,
      rank: Schema.Number,
      attempt: Schema.Array(Part),
      around: Schema.Array(Part),
      items: Schema.optionalKey(
        Schema.Struct({
          concurrency: Schema.optionalKey(Schema.Number),
          requests: Schema.optionalKey(Schema.Boolean),
          attempt: Schema.Array(Part),
          around: Schema.Array(Part)
        })
      ),
      cases: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
      otherwise: Schema.optionalKey(Schema.String),
      loader: Schema.optionalKey(Schema.suspend((): Schema.Codec<CorePlan.Plan, unknown> => Plan)),
      onlyFor: Schema.optionalKey(Names),
      views: Names,
      annotations: Schema.Record(Schema.String, Unknown)
    })
  ),
  batches: Schema.Array(Names),
  targets: Schema.Record(Schema.String, Schema.String)
})
