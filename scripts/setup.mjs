// Prepares the clone as far as needed, then runs what is asked for. Needs Node and npm alone:
//   node scripts/setup.mjs start [arguments of mash-device] | test [arguments of vitest] | conformance [arguments] | build | bench [arguments]
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildBundles, bundlesFresh } from './setup/bundles.mjs';
import { withLock } from './setup/lock.mjs';
import { installPackages, linkPrograms, packagesFit } from './setup/packages.mjs';
import { runNode, runThrough, SetupError, say } from './setup/run.mjs';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** One thread for V8's background work (more of them compete with the main thread on a small board), and no session tickets. */
const DEVICE_FLAGS = ['--v8-pool-size=1', `--openssl-config=${path.join(ROOT, 'scripts/openssl.cnf')}`];

const verbs = {
  async start(args) {
    await prepare({ bundles: true });
    return runThrough([...DEVICE_FLAGS, path.join(ROOT, 'bundles/mash-device.start.cjs'), ...args]);
  },
  async test(args) {
    // A run of named files builds only if one of them asks for a bundle.
    await prepare({ bundles: args.every((arg) => arg.startsWith('-')) });
    return runThrough([path.join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', ...args], { cwd: ROOT });
  },
  async conformance(args) {
    await prepare({ bundles: true });
    return runThrough([path.join(ROOT, 'bundles/mash-conformance.start.cjs'), ...args]);
  },
  async build() {
    await prepare({ bundles: true });
    return 0;
  },
  async bench(args) {
    await prepare({ bundles: true });
    // The benchmarks use the compiled code, that of the test world too.
    await runNode('tsc', path.join(ROOT, 'node_modules/typescript/bin/tsc'), ['-b'], { cwd: ROOT });
    return runThrough([path.join(ROOT, 'scripts/bench/run.mjs'), ...args]);
  },
};

/** Installs and builds what is missing or out of date; says nothing where nothing is. */
async function prepare({ bundles }) {
  const missing = () => !packagesFit(ROOT) || (bundles && !bundlesFresh(ROOT));
  if (missing()) {
    await withLock(path.join(ROOT, 'build/setup.lock'), async () => {
      if (!packagesFit(ROOT)) await installPackages(ROOT);
      if (bundles && !bundlesFresh(ROOT)) await buildBundles(ROOT);
    });
  }
  linkPrograms(ROOT);
}

function checkNode() {
  const { engines } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  const least = engines.node.replace('>=', '');
  if (process.versions.node.localeCompare(least, 'en', { numeric: true }) >= 0) return;
  throw new SetupError(`Node ${least} or newer is needed, this is ${process.versions.node}`);
}

const [name, ...args] = process.argv.slice(2);
try {
  checkNode();
  const verb = Object.hasOwn(verbs, name ?? '') ? verbs[name] : undefined;
  if (verb === undefined) throw new SetupError(`start, test, conformance, build or bench is due, not '${name ?? ''}'`);
  process.exitCode = await verb(args);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  say(error.message);
  process.exitCode = 1;
}
