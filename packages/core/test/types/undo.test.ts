/** What TypeScript says where what undoes is declared wrongly. */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { messagesOf } from "./messages.ts"

const start = `
import { Effect } from "effect"
import { Loader, Policy, Resource, Saga } from "effect-loader"
const user = Resource.succeed("user", { id: 7 })
const load = () => Effect.succeed("a seat")
export const seat = `

const wrong: ReadonlyArray<readonly [what: string, declaration: string, ...says: ReadonlyArray<string>]> = [
  [
    "an option `compensate`",
    'Resource.make("seat", { load, compensate: () => Effect.void })',
    "Object literal may only specify known properties, and 'compensate' does not exist in type"
  ],
  [
    "a function after the options",
    'Resource.make("seat", { load }, (seat: string) => Effect.succeed(seat))',
    "is not assignable to parameter of type 'Undo<string, {}, never>'"
  ],
  [
    "a policy after the options",
    'Resource.make("seat", { load }, Policy.retry({ times: 3 }))',
    "Type 'Policy<never, never>' is missing the following properties from type 'Undo<string, {}, never>'"
  ],
  [
    "a compensation that gives no Effect",
    'Resource.make("seat", { load }, Saga.compensate((seat) => console.log(seat)))',
    "Type 'void' is not assignable to type 'Effect<unknown, unknown, never>'"
  ],
  [
    "a compensation that gives a promise",
    'Resource.make("seat", { load }).pipe(Saga.compensate(async () => {}))',
    "Type 'Promise<void>' is missing the following properties from type 'Effect<unknown, unknown, never>'"
  ],
  [
    "a compensation of another value",
    'Resource.make("seat", { load }, Saga.compensate((seat: number) => Effect.succeed(seat)))',
    "'Compensation<number, ",
    "Type 'string' is not assignable to type 'number'"
  ],
  [
    "a compensation of another value, in a pipe",
    'Resource.make("seat", { load }).pipe(Saga.compensate((seat: number) => Effect.succeed(seat)))',
    "Type 'string' is not assignable to type 'number'"
  ],
  [
    "a dependency that is not declared",
    'Resource.make("seat", { deps: { user }, load }, Saga.compensate((seat, { order }) => Effect.succeed(order)))',
    "Property 'order' does not exist on type '{ readonly user: { id: number; }; }'"
  ],
  [
    "a dependency that is not declared, in a cleanup of an item",
    'Resource.forEach("seat", { items: () => [1], load }, Saga.cleanup(({ order }) => Effect.succeed(order)))',
    "Property 'order' does not exist on type '{}'"
  ],
  [
    "a dependency that is read in a pipe",
    'Resource.make("seat", { deps: { user }, load }).pipe(Saga.cleanup(({ user }) => Effect.succeed(user.id)))',
    "Property 'user' does not exist on type '{}'"
  ],
  [
    "a compensation as the policy of an item",
    'Resource.forEach("seat", { items: () => [1], load, each: Saga.compensate(() => Effect.void) })',
    "is missing the following properties from type 'Policy<never, never>'"
  ],
  [
    "a compensation of a loader",
    "Loader.make({ user }).pipe(Saga.compensate(() => Effect.void))",
    "is missing the following properties from type 'Resource<"
  ]
]

const right: ReadonlyArray<readonly [what: string, declaration: string]> = [
  [
    "with the value and dependencies, without annotations",
    `Resource.make("seat", { deps: { user }, load: ({ user }) => Effect.succeed(user) },
      Saga.compensate((seat, { user }, { attempts }) => Effect.succeed(seat.id + user.id + attempts)),
      Saga.cleanup(({ user }, { attempts }) => Effect.succeed(user.id + attempts)))`
  ],
  [
    "of an item, without annotations",
    `Resource.forEach("seat", { deps: { user }, items: () => [1], load: (row, { user }) => Effect.succeed({ row, user }) },
      Saga.compensate((seat, { user }, { item }) => Effect.succeed([seat.row + user.id, item?.index])))`
  ],
  [
    "with dependencies that come later",
    `Resource.make("seat", { deps: () => ({ user }), load: ({ user }) => Effect.succeed(user) },
      Saga.compensate((seat, { user }) => Effect.succeed(seat.id + user.id)))`
  ],
  ["in a pipe", 'Resource.make("seat", { load }).pipe(Saga.compensate((seat) => Effect.succeed(seat.length)))'],
  ["where there may be none", 'Resource.make("seat", { load }, undefined, Saga.cleanup(() => Effect.void))']
]

describe("what undoes", () => {
  let says: ReadonlyArray<string> = []
  beforeAll(async () => {
    says = await messagesOf([...wrong, ...right].map(([, declaration]) => start + declaration))
  }, 60_000)

  it.each(wrong.map(([what, , ...parts], i) => [what, parts, i] as const))(
    "%s does not compile, and the compiler says why",
    (_what, parts, i) => {
      for (const part of parts) assert.include(says[i], part)
    }
  )

  it.each(right.map(([what], i) => [what, wrong.length + i] as const))("compiles %s", (_what, i) => {
    assert.strictEqual(says[i], "")
  })
})
