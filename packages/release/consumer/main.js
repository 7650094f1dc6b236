import { everywhere } from "./everywhere.js"

console.log(await everywhere())
