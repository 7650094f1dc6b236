/** A bundle for browsers of the program for every runtime. */
export default {
  build: {
    outDir: "vite",
    target: "esnext",
    lib: { entry: "main.js", formats: ["es"], fileName: () => "bundle.mjs" }
  },
  logLevel: "error"
}
