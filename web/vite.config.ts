import { cpSync } from "node:fs";
import { join } from "node:path";
import vue from "@vitejs/plugin-vue";
import { defineConfig, type Plugin } from "vite";

// The address of a running `twintown serve`, for `npm run dev` only.
const server = "http://127.0.0.1:8000";

/** The fonts that the server sets a PDF in: whole, as OpenType; a browser never asks for them. */
function fontsForPrint(): Plugin {
  let out = "dist";
  return {
    name: "fonts-for-print",
    apply: "build",
    configResolved: (config) => void (out = config.build.outDir),
    closeBundle() {
      const from = join("node_modules", "pretendard", "dist");
      for (const weight of ["Regular", "Medium", "SemiBold"])
        cpSync(join(from, "public", "static", `Pretendard-${weight}.otf`), join(out, "fonts", `Pretendard-${weight}.otf`));
      cpSync(join(from, "LICENSE.txt"), join(out, "fonts", "LICENSE.txt"));
    },
  };
}

export default defineConfig({
  plugins: [vue(), fontsForPrint()],
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
      // The page behind the code on a bag, and what keeps it for a visitor without a connection.
      input: { index: "index.html", map: "src/map/main.ts", fonts: "src/theme/fonts.css", proof: "proof.html", "proof-sw": "src/proof/sw.ts" },
      output: {
        entryFileNames: (chunk) => (chunk.name === "map" || chunk.name === "proof-sw" ? `${chunk.name}.js` : "assets/[name]-[hash].js"),
        assetFileNames: (asset) => (asset.names.some((name) => name === "map.css" || name === "fonts.css") ? "[name][extname]" : "assets/[name]-[hash][extname]"),
        // One engine file, one page file: few requests, and the engine stays cached across releases.
        manualChunks: (id: string) =>
          id.includes("@cesium") || id.includes("node_modules/protobufjs") ? "engine" : undefined,
      },
    },
  },
});
