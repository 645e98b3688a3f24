import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { runNode, SetupError, say, seconds } from './run.mjs';

/** Whether node_modules holds what package-lock.json asks for, no more and no less, on this kind of machine. */
export function packagesFit(root) {
  const wanted = packagesIn(path.join(root, 'package-lock.json'));
  const installed = packagesIn(path.join(root, 'node_modules/.package-lock.json'));
  if (wanted === undefined) throw new SetupError('package-lock.json is missing or damaged');
  if (installed === undefined) return false;
  for (const [folder, there] of Object.entries(installed)) {
    const due = wanted[folder];
    if (due === undefined || due.version !== there.version || due.integrity !== there.integrity) return false;
    // A folder carried over from another machine: its native parts do not load here.
    if (!runsHere(there) || !existsSync(path.join(root, folder, 'package.json'))) return false;
  }
  return Object.entries(wanted).every(([folder, due]) => folder === '' || due.optional === true || folder in installed);
}

/** Installs exactly what package-lock.json says. No package's own script runs. */
export async function installPackages(root) {
  say('installing packages (npm ci --ignore-scripts)');
  const start = performance.now();
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--progress=false'];
  // npm's summary goes where these lines go: to stderr.
  await runNode('npm ci', npmScript(), args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (!packagesFit(root)) throw new SetupError('npm ci succeeded, and node_modules still does not fit package-lock.json');
  say(`packages installed in ${seconds(start)}`);
}

/** Links this package's own programs where npx looks first; npm does it for the packages it installs, not for the one it stands in. */
export function linkPrograms(root) {
  if (process.platform === 'win32') return;
  const { bin } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const folder = path.join(root, 'node_modules/.bin');
  mkdirSync(folder, { recursive: true });
  for (const [name, program] of Object.entries(bin)) {
    const link = path.join(folder, name);
    const target = path.relative(folder, path.join(root, program));
    const there = lstatSync(link, { throwIfNoEntry: false });
    if (there?.isSymbolicLink() && readlinkSync(link) === target) continue;
    rmSync(link, { force: true });
    symlinkSync(target, link);
  }
}

function packagesIn(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

function runsHere({ os = [process.platform], cpu = [process.arch] }) {
  return allows(os, process.platform) && allows(cpu, process.arch);
}

/** npm's lists: names that are allowed, or names with ! that are not. */
function allows(list, name) {
  return list.some((entry) => entry.startsWith('!')) ? !list.includes(`!${name}`) : list.includes(name);
}

/** The npm that runs this, or the one that came with this Node. */
function npmScript() {
  const { npm_execpath: running } = process.env;
  if (running !== undefined && path.basename(running) === 'npm-cli.js') return running;
  const folder = path.dirname(process.execPath);
  const shipped = ['../lib/node_modules/npm/bin/npm-cli.js', 'node_modules/npm/bin/npm-cli.js'].map((file) => path.join(folder, file));
  const found = shipped.find((file) => existsSync(file));
  if (found === undefined) throw new SetupError("npm was not found; start this through npm ('npm start', 'npm test')");
  return found;
}
