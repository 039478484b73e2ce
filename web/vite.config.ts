import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";

// The address of a running `twintown serve`, for `npm run dev` only.
const server = "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [vue()],
  base: "/",
  define: {
    __VUE_OPTIONS_API__: "false",
    __VUE_PROD_DEVTOOLS__: "false",
    __VUE_I18N_FULL_INSTALL__: "false",
    __VUE_I18N_LEGACY_API__: "false",
    __INTLIFY_PROD_DEVTOOLS__: "false",
  },
  server: { proxy: { "/twins": server, "/openapi.json": server, "/health": server } },
  build: {
    outDir: "dist",
    sourcemap: false,
    target: "es2022",
    chunkSizeWarningLimit: 6000,
    assetsInlineLimit: 2048,
    rollupOptions: {
      // The page, and what the server's HTML of each resource takes when it is there: a map and the fonts, under fixed names.
      input: { index: "index.html", map: "src/map/main.ts", fonts: "src/theme/fonts.css" },
      output: {
        entryFileNames: (chunk) => (chunk.name === "map" ? "map.js" : "assets/[name]-[hash].js"),
        assetFileNames: (asset) => (asset.names.some((name) => name === "map.css" || name === "fonts.css") ? "[name][extname]" : "assets/[name]-[hash][extname]"),
        // One engine file, one page file: few requests, and the engine stays cached across releases.
        manualChunks: (id: string) =>
          id.includes("@cesium") || id.includes("node_modules/protobufjs") ? "engine" : undefined,
      },
    },
  },
});
