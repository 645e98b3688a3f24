import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runNode, say, seconds } from './run.mjs';

const PROGRAMS = ['mash-device', 'mash-controller', 'mash-conformance'];
/** What each program consists of: its text, which runs alone, and what starts it faster. */
const PARTS = ['.cjs', '.code', '.start.cjs'];
const FOLDERS = ['src', 'hal', 'boards'];
const DIGEST = 'sources.sha256';

/** Whether all bundles stand there, made of the sources as they are now. */
export function bundlesFresh(root) {
  const folder = path.join(root, 'bundles');
  return (
    [...PROGRAMS.flatMap((program) => PARTS.map((part) => program + part)), DIGEST].every((name) => existsSync(path.join(folder, name))) &&
    read(folder, DIGEST) === sourcesDigest(root)
  );
}

/** Compiles and bundles aside, then puts each file in its place whole: a program that starts meanwhile sees the old one or the new one. */
export async function buildBundles(root) {
  say('building bundles (tsc, rollup)');
  const start = performance.now();
  const sources = sourcesDigest(root);
  const aside = path.join(root, 'build/bundles');
  const folder = path.join(root, 'bundles');
  rmSync(aside, { recursive: true, force: true });
  await runNode('tsc', path.join(root, 'node_modules/typescript/bin/tsc'), ['-b', 'tsconfig.node.json'], { cwd: root });
  const rollup = path.join(root, 'node_modules/rollup/dist/bin/rollup');
  await runNode('rollup', rollup, ['--config', 'rollup.config.mjs', '--silent', '--dir', aside], { cwd: root });
  writeFileSync(path.join(aside, DIGEST), sources);
  for (const program of PROGRAMS) for (const part of ['.cjs', '.start.cjs']) chmodSync(path.join(aside, program + part), 0o755);
  mkdirSync(folder, { recursive: true });
  // The digest last: what it speaks for is there.
  const made = readdirSync(aside).filter((name) => name !== DIGEST);
  for (const name of [...made, DIGEST]) renameSync(path.join(aside, name), path.join(folder, name));
  const sizes = PROGRAMS.map((program) => `${program} ${Math.ceil(statSync(path.join(folder, `${program}.cjs`)).size / 1024)} KiB`);
  say(`bundles built in ${seconds(start)}: ${sizes.join(', ')}`);
}

/** Everything that decides what the bundles contain: by content, so that a checkout's new dates mean nothing and a removed file counts. Of Node too: the code is compiled for it. */
export function sourcesDigest(root) {
  const hash = createHash('sha256');
  for (const choice of ['MASH_PLAIN', 'MASH_PRODUCTION']) hash.update(`${choice}=${process.env[choice] ?? ''}\0`);
  hash.update(process.version);
  const listed = FOLDERS.flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true }).map((name) => path.join(folder, name)),
  );
  const configs = readdirSync(root).filter((name) => /^(tsconfig.*\.json|rollup\.config\.mjs|package(-lock)?\.json)$/.test(name));
  for (const file of [...listed, ...configs].sort()) {
    if (!/\.(ts|json|mjs|cjs)$/.test(file)) continue;
    hash.update(`${file}\0`).update(createHash('sha256').update(read(root, file)).digest());
  }
  return hash.digest('hex');
}

function read(...where) {
  return readFileSync(path.join(...where), 'utf8');
}
