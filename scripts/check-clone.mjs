// Does what a newcomer does, with what is committed: clones into an empty folder, `npm start` in a terminal, `npx mash-controller` in a second
// one, q; and `npm test` as the first command of another clone. `node scripts/check-clone.mjs`; needs git and script (util-linux).
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Terminal } from './terminal.mjs';

const ROOT = path.join(import.meta.dirname, '..');

/** Milliseconds from the end of the build until a newcomer sees everything. */
const SEEN_WITHIN = 2000;
const BUILT_WITHIN = 90_000;
const STOPPED_WITHIN = 5000;

const folder = mkdtempSync(path.join(tmpdir(), 'mash-clone-'));
const environment = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_'))),
  TERM: 'xterm',
  XDG_STATE_HOME: path.join(folder, 'state'),
};

try {
  await checkStart(clone('start'));
  checkTest(clone('test'));
  console.log('clone: all is well');
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function checkStart(cwd) {
  const ports = (await portsAreFree(8443, 8444)) ? '' : ' -- --port 9443 --commissioning-port 9444';
  console.log(`clone: npm start${ports} in an empty clone`);
  const terminal = new Terminal(`npm start${ports}`, { cwd, env: environment });
  try {
    await terminal.shows('the end of the build', /bundles built in/, BUILT_WITHIN);
    const built = performance.now();
    await terminal.shows('the keys', /\[b\] button/, SEEN_WITHIN);
    await terminal.shows('that it is announced', /\bannounced\b/, SEEN_WITHIN);
    await terminal.shows('a QR code', /(^ {2}[ ▀▄█]{20,}.*\r?\n){10}/m, SEEN_WITHIN);
    const [qr] = await terminal.shows("the QR code's text", /MASH:1:\d+:\d{8}:0x[0-9a-f]{4}:0x[0-9a-f]{4}/, SEEN_WITHIN);
    const seen = performance.now() - built;
    if (seen > SEEN_WITHIN) throw new Error(`announced, QR code and keys were there only after ${Math.round(seen)} ms`);
    console.log(`clone: announced, QR code and keys ${Math.round(seen)} ms after the build`);

    const alone = run(cwd, 'npx', ['--offline', 'mash-controller', '--help']);
    if (alone.status !== 0) throw new Error(`npx mash-controller --help: exit code ${alone.status}\n${alone.stderr}`);
    commission(cwd, qr, ports === '' ? 8444 : 9444);

    const pressed = performance.now();
    terminal.type('q');
    const code = await terminal.ended(STOPPED_WITHIN);
    if (code !== 0) throw new Error(`q: exit code ${code}`);
    console.log(`clone: q ended it with exit code 0 in ${Math.round(performance.now() - pressed)} ms`);
  } catch (error) {
    process.stderr.write(`${terminal.text}\n`);
    throw error;
  } finally {
    terminal.kill();
  }
}

/** By multicast as a newcomer would; by address where the machine has no multicast. */
function commission(cwd, qr, port) {
  const NOT_FOUND = 3;
  let how = 'found by multicast';
  let { status, stdout, stderr } = run(cwd, 'npx', ['mash-controller', 'commission', qr]);
  if (status === NOT_FOUND) {
    how = 'by address: there is no multicast here';
    ({ status, stdout, stderr } = run(cwd, 'npx', ['mash-controller', 'commission', qr, '--address', `[::1]:${port}`]));
  }
  if (status !== 0) throw new Error(`npx mash-controller commission: exit code ${status}\n${stderr}${stdout}`);
  console.log(`clone: npx mash-controller commission "${qr}" succeeded, ${how}`);
}

function checkTest(cwd) {
  console.log('clone: npm test -- test/codec in an empty clone');
  const { status, stdout, stderr } = run(cwd, 'npm', ['test', '--', 'test/codec']);
  if (status !== 0) throw new Error(`npm test: exit code ${status}\n${stderr}${stdout}`);
}

function clone(name) {
  const cwd = path.join(folder, name);
  const { status, stderr } = run(ROOT, 'git', ['clone', '--quiet', '--no-hardlinks', '.', cwd]);
  if (status !== 0) throw new Error(`git clone: ${stderr}`);
  return cwd;
}

function run(cwd, command, args) {
  return spawnSync(command, args, { cwd, env: environment, encoding: 'utf8', timeout: BUILT_WITHIN });
}

async function portsAreFree(...ports) {
  const free = ports.map(async (port) => {
    const server = createServer();
    const listening = await new Promise((resolve) => {
      server.once('listening', () => resolve(true)).once('error', () => resolve(false));
      server.listen(port);
    });
    if (listening) await new Promise((resolve) => server.close(resolve));
    return listening;
  });
  return (await Promise.all(free)).every((each) => each);
}
