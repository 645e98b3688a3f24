import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { isBlackBox } from '../../src/conformance/case.js';
import { CASES } from '../../src/conformance/cases/index.js';
import { ip, type Namespace, namespacesRefused, withNamespaces } from '../world/netns.js';
import { freePorts } from '../world/program.js';
import { bundle, ROOT, runNode } from '../world/project.js';
import { ENABLE_KEY } from './lab.js';

const CODE = '20220211';
/** Shortened, so that what waits for them can be waited for; the PICS says the same. */
const SHORT = { 'commissioning.firstMessage': 2000, 'commissioning.csrRequest': 2000 };
/** A window of profile `reference` cannot be shortened: TC-COMM-2 is for `--long` there, and TC-COMM-WINDOW-001 stands in. */
const WINDOW = { draft: { 'commissioning.window': 8000 }, reference: {} };
/** What only multicast, or a link-local address, shows. */
const NEEDS_LINK = ['TC-MDNS', 'TC-TRANS-2', 'TC-TRANS-3', 'TC-IPV6-1'];

interface Report {
  readonly counts: Readonly<Record<'pass' | 'fail' | 'skip', number>>;
  readonly cases: readonly { readonly id: string; readonly dialect: string | null; readonly verdict: string; readonly reason: string }[];
}

/** Where the two programs are, and how the runner reaches the device. */
interface Place {
  readonly target: string;
  readonly ports: readonly [operational: number, commissioning: number];
  readonly interfaceName: string;
  readonly run: (who: 'device' | 'runner', args: readonly string[]) => ChildProcess;
}

let programs: { readonly device: string; readonly runner: string };
beforeAll(async () => {
  programs = { device: await bundle('mash-device'), runner: await bundle('mash-conformance') };
});

/** Two network namespaces on one link; where there are none, loopback without multicast. */
async function inPlace(body: (place: Place) => Promise<void>): Promise<void> {
  const node = (prefix: readonly string[], args: readonly string[]): ChildProcess => {
    const [program = process.execPath, ...rest] = [...prefix, process.execPath, ...args];
    return spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  };
  if (namespacesRefused !== undefined) {
    const [operational = 0, commissioning = 0] = await freePorts(2);
    const run: Place['run'] = (_who, args) => node([], args);
    await body({ target: `[::1]:${operational}`, ports: [operational, commissioning], interfaceName: 'none0', run });
    return;
  }
  await withNamespaces(2, async ([device, runner]) => {
    if (device === undefined || runner === undefined) throw new Error('two namespaces are due');
    const address = await linkLocal(device);
    const run: Place['run'] = (who, args) => node(['ip', 'netns', 'exec', who === 'device' ? device.name : runner.name], args);
    const target = `[${address}%${runner.interfaceName}]:8443`;
    await body({ target, ports: [8443, 8444], interfaceName: device.interfaceName, run });
  });
}

async function linkLocal({ name, interfaceName }: Namespace): Promise<string> {
  const shown = await ip('-n', name, '-6', '-o', 'addr', 'show', 'dev', interfaceName, 'scope', 'link');
  const [, address] = /inet6 (fe80:[^/]+)\//.exec(shown) ?? [];
  if (address === undefined) throw new Error(`no link-local address: ${shown}`);
  return address;
}

/** Starts the device, and again whenever the file `restart` is there, which it then takes away; rejects where it does not start. */
async function supervise(folder: string, start: () => ChildProcess): Promise<{ readonly stop: () => Promise<void> }> {
  let child = start();
  const begun = async (): Promise<void> => {
    writeFileSync(path.join(folder, 'pid'), String(child.pid));
    let said = '';
    await new Promise<void>((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr])
        stream?.on('data', (chunk) => {
          said += String(chunk);
          if (said.includes('"message":"announced"')) resolve();
        });
      child.once('exit', (code) => reject(new Error(`the device ended with ${code}: ${said}`)));
    });
  };
  const gone = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  };
  await begun();
  let restarting = Promise.resolve();
  const restart = path.join(folder, 'restart');
  const poll = setInterval(() => {
    if (!existsSync(restart)) return;
    renameSync(restart, path.join(folder, 'restarting'));
    restarting = gone().then(async () => {
      child = start();
      await begun();
      rmSync(path.join(folder, 'restarting'));
    });
  }, 50);
  const stop = async (): Promise<void> => {
    clearInterval(poll);
    try {
      await restarting;
    } finally {
      await gone();
    }
  };
  return { stop };
}

/** What it said until it ended by itself, or was ended because the device answers nothing any more. */
async function finished(child: ChildProcess): Promise<{ readonly code: number | null; readonly text: string }> {
  const overdue = setTimeout(() => child.kill('SIGKILL'), 220_000);
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => {
      text += String(chunk);
    });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearTimeout(overdue);
  return { code, text };
}

async function report(profile: 'draft' | 'reference', { target, ports, interfaceName, run }: Place): Promise<Report> {
  const folder = mkdtempSync(path.join(tmpdir(), 'mash-conformance-'));
  const settings = Object.entries({ ...SHORT, ...WINDOW[profile] }).map(([key, value]) => `${key}=${value}`);
  const common = ['--profile', profile, '--setup-code', CODE, '--enable-key', ENABLE_KEY, '--interface', interfaceName];
  const where = ['--port', String(ports[0]), '--commissioning-port', String(ports[1]), '--state', path.join(folder, 'state')];
  const pics = path.join(folder, 'device.pics');
  const own = [...common, '--state', path.join(folder, 'unused'), '--set', ...settings];
  const printed = runNode(folder, programs.device, 'pics', ...own);
  if (printed.status !== 0) throw new Error(printed.stderr);
  writeFileSync(pics, printed.stdout);
  const device = await supervise(folder, () =>
    run('device', [programs.device, ...common, ...where, '--discriminator', '1234', '--log-format', 'json', '--set', ...settings]),
  );
  const [pid, restart] = ['pid', 'restart'].map((name) => path.join(folder, name));
  mkdirSync(path.join(ROOT, 'build'), { recursive: true });
  const out = path.join(ROOT, `build/conformance-${profile}.json`);
  rmSync(out, { force: true });
  const options = [
    ['--target', target, '--pics', pics, '--dialect', 'both', '--format', 'json', '--out', out],
    ['--open-command', `kill -USR1 $(cat ${pid})`],
    ['--restart-command', `touch ${restart}; while [ -e ${restart} ] || [ -e ${restart}ing ]; do sleep 0.05; done`],
    profile === 'draft' ? ['--commissioning-port', String(ports[1])] : [],
  ].flat();
  try {
    const { code, text } = await finished(run('runner', [programs.runner, ...common, ...options]));
    if (!existsSync(out)) throw new Error(`exit code ${code}: ${text}`);
    return JSON.parse(readFileSync(out, 'utf8'));
  } finally {
    await device.stop();
    rmSync(folder, { recursive: true });
  }
}

describe(`the programs as they are shipped, both dialects${namespacesRefused === undefined ? '' : ` (without multicast: ${namespacesRefused})`}`, () => {
  it.concurrent.each(['draft', 'reference'] as const)(
    'profile %s: no case fails, and none is skipped that can be tried',
    async (profile) => {
      await inPlace(async (place) => {
        const { cases } = await report(profile, place);
        expect(cases.filter(({ verdict }) => verdict === 'fail')).toEqual([]);
        const foreign = CASES.filter((entry) => !isBlackBox(entry)).map(({ id }) => id);
        const skipped = cases.filter(({ id, verdict }) => verdict === 'skip' && !foreign.includes(id)).map(({ id }) => id);
        const excused = [
          ...(namespacesRefused === undefined ? [] : NEEDS_LINK),
          ...(profile === 'reference' ? ['TC-MDNS-TXT-UDP', 'TC-COMM-2'] : []),
        ];
        expect(skipped.filter((id) => !excused.some((prefix) => id.startsWith(prefix)))).toEqual([]);
      });
    },
    240_000,
  );
});
