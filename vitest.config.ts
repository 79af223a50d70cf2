import { defineConfig } from 'vitest/config';

// One project for each kind of test. `npm test` runs them in this order, each in a run of its own.
const projects: Readonly<Record<string, readonly string[]>> = {
  unit: ['src/**/*.test.ts', 'test/scenarios/**/*.test.ts'],
  simulation: ['test/simulation/**/*.test.ts'],
  client: ['clients/node/**/*.test.ts'],
  contract: ['test/contracts/**/*.test.ts'],
  system: ['test/system/**/*.test.ts'],
  root: ['test/root/**/*.test.ts'],
};

/**
 * Real processes on a machine that others load too, and one lost race among some hundred tests should not stop a change. Whoever
 * needs it is shown with `retry x1`, and named at the end of the run. A unit of kernel/ starts processes too;
 * the simulation never has an excuse.
 */
const again: Readonly<Record<string, number>> = { unit: 1, client: 1, contract: 2, system: 2, root: 1 };

export default defineConfig({
  test: {
    projects: Object.entries(projects).map(([name, include]) => ({
      test: {
        name,
        include: [...include],
        pool: 'forks' as const,
        // Some take twenty seconds on an idle machine, and four times as long beside others.
        testTimeout: 120_000,
        hookTimeout: 120_000,
        retry: again[name] ?? 0,
      },
    })),
  },
});
