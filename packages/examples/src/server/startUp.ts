/**
 * The start-up graph: each service as a resource, built as soon as what it needs is there, released in reverse order.
 * The database and the directory are those of the page.
 */
import { NodeServices } from "@effect/platform-node"
import { Layer } from "effect"
import { Loader, Policy, Resource } from "effect-loader"
import { SqlClient } from "effect/sql"
import { Database } from "../backends/Database.ts"
import { DirectoryServer } from "../backends/DirectoryServer.ts"
import { PostgresServer } from "../backends/PostgresServer.ts"
import { Catalog } from "../page/Catalog.ts"
import { Directory } from "../page/Directory.ts"
import { Banners } from "./Banners.ts"
import { Desk } from "./Desk.ts"
import { Settings } from "./Settings.ts"

const settings = Resource.fromLayer("settings", Settings, Settings.layer)
const desk = Resource.fromLayer("desk", Desk, Desk.layer)
const banners = Resource.fromLayer("banners", Banners, Banners.layer, { deps: { settings } })

const postgres = Resource.fromLayer(
  "postgres",
  PostgresServer,
  PostgresServer.layer.pipe(Layer.provide(NodeServices.layer))
)
const pool = Resource.fromLayer("pool", SqlClient.SqlClient, Database, { deps: { postgres } }).pipe(
  Policy.timeout("20 seconds"),
  Policy.retry({ times: 1 })
)
const catalog = Resource.fromLayer("catalog", Catalog, Catalog.layer, { deps: { pool } })

const directoryServer = Resource.fromLayer("directory server", DirectoryServer, DirectoryServer.layer)
const directory = Resource.fromLayer("directory", Directory, Directory.layer, { deps: { directoryServer } }).pipe(
  Policy.timeout("5 seconds"),
  Policy.retry({ times: 2 })
)

export const services = Loader.make(
  { postgres, catalog, directoryServer, directory, banners, desk },
  { name: "start-up" }
)

export const StartUp = Loader.toLayer(services, {
  postgres: PostgresServer,
  catalog: Catalog,
  directoryServer: DirectoryServer,
  directory: Directory,
  banners: Banners,
  desk: Desk
})
