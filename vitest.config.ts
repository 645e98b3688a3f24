import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    isolate: true,
    maxWorkers: 2,
    testTimeout: 30_000,
    // The first hook that asks for a bundle may have to build it.
    hookTimeout: 120_000,
    reporters: ['default'],
  },
});
