// Discovery and commissioning under loss, and a storm of others' multicast traffic, in network namespaces: figures on standard output.
// Needs root, iproute2 and nftables; stays in the namespaces that it makes.
import { spawnSync } from 'node:child_process';
import path from 'node:path';

const root = path.join(import.meta.dirname, '../..');
const { status } = spawnSync('npx', ['vitest', 'run', 'test/e2e/bad-links.test.ts'], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, MASH_MEASURE: '1' },
});
process.exitCode = status ?? 1;
