import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      // Slow machines too.
      { test: { name: "unit", include: ["test/*.test.ts", "test/files/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000 } },
      // Each file has a browser, in which it does one thing after the other.
      { test: { name: "cases", include: ["test/cases/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000 } },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          // A real browser with a real folder: one at a time.
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
