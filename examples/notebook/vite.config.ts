import { defineConfig } from "vite";

// Relative addresses, so that the built page works in any folder of any static host.
export default defineConfig({ base: "./", build: { target: "es2022" } });
