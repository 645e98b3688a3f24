import { it } from 'vitest';
import { NetworkChanges, type NetworkChangesOptions } from '../../src/node/network-changes.js';

/** Resolves at the `count`-th change. */
async function changes(count: number, options: NetworkChangesOptions): Promise<void> {
  let left = count;
  let watch: NetworkChanges | undefined;
  await new Promise<void>((resolve) => {
    watch = new NetworkChanges(options, () => {
      left--;
      if (left === 0) resolve();
    });
    watch.start();
  });
  watch?.close();
  watch?.close();
}

const NEVER = 600_000;
const script = (text: string): readonly string[] => [process.execPath, '-e', text];

it('an output of the monitor is a change', async () => {
  await changes(1, { pollInterval: NEVER, monitor: script("console.log('2: eth0'); setInterval(() => {}, 1000)") });
});

it('a monitor that ends is started again', async () => {
  await changes(2, { pollInterval: NEVER, monitor: script("console.log('2: eth0')") });
});

it('polls where there is no monitor, and where it cannot be started', async () => {
  await changes(3, { pollInterval: 5, monitor: [] });
  await changes(3, { pollInterval: 5, monitor: ['/nowhere/ip'] });
});
