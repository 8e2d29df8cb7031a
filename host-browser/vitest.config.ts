import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["test/*.test.ts", "test/files/**/*.test.ts"] } },
      // Each file has a browser, in which it does one thing after the other.
      { test: { name: "cases", include: ["test/cases/*.test.ts"], hookTimeout: 60_000 } },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          // A real browser with a real folder: one at a time, and slow machines too.
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
