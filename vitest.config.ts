import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What these wait for is real time: sockets, namespaces, programs. */
const WAITING = /\/test\/(e2e\/|conformance-runner\/|node\/(multicast|port-mapper)\.)/;

/** Spreads the files that wait over the run, so that others compute meanwhile; none of them is left for the end. */
class Interleaved extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const byName = [...files].sort((a, b) => (a.moduleId < b.moduleId ? -1 : 1));
    const waiting = byName.filter(({ moduleId }) => WAITING.test(moduleId));
    const computing = byName.filter(({ moduleId }) => !WAITING.test(moduleId));
    const each = Math.floor((computing.length * 0.7) / Math.max(1, waiting.length));
    return [
      ...waiting.flatMap((file, i) => [file, ...computing.slice(i * each, (i + 1) * each)]),
      ...computing.slice(waiting.length * each),
    ];
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    isolate: true,
    // On two cores: half of them wait.
    maxWorkers: 4,
    maxConcurrency: 8,
    sequence: { sequencer: Interleaved },
    // None of them measures: they end a test that hangs, on a machine however busy.
    testTimeout: 180_000,
    // The first hook that asks for a bundle may have to build it.
    hookTimeout: 300_000,
    reporters: ['default'],
  },
});
