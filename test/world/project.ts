import { execFile, type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

/** The folder of the project. */
export const ROOT = path.join(import.meta.dirname, '../..');

/** What a bundle is made of, as written down when it was built. */
export interface BundleAccount {
  readonly bytes: number;
  /** `name@version` of each package that the bundle contains. */
  readonly packages: readonly string[];
  /** Bytes of each module in the bundle, by its path in the project. */
  readonly modules: Readonly<Record<string, number>>;
}

export type Program = 'mash-device' | 'mash-controller' | 'mash-conformance';

/** Once a test file: what its first question found or made is fresh. */
let built: Promise<unknown> | undefined;

/**
 * The path of a bundle that is made of the sources as they are now. Whoever asks first, in whichever worker, waits for the build; rejects
 * with what the compiler said when it fails. Ask in `beforeAll`: its time-out allows for it.
 */
export async function bundle(name: Program): Promise<string> {
  built ??= promisify(execFile)(process.execPath, [path.join(ROOT, 'scripts/setup.mjs'), 'build']).catch((error) => {
    throw new Error(`${error.stderr}${error.stdout}`);
  });
  await built;
  return path.join(ROOT, 'bundles', `${name}.cjs`);
}

/** What people start: the bundle's launcher. Ask in `beforeAll` as well. */
export async function program(name: Program): Promise<string> {
  return (await bundle(name)).replace(/\.cjs$/, '.start.cjs');
}

/** The account of a bundle that `bundle` has made. */
export function bundleAccount(name: Program): BundleAccount {
  return JSON.parse(readFileSync(path.join(ROOT, 'bundles', `${name}.json`), 'utf8'));
}

/** Runs this Node in `folder` to its end, at most two minutes. */
export function runNode(folder: string, ...args: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', timeout: 120_000 });
}
