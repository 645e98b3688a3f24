import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePorts, Program } from '../world/program.js';
import { program } from '../world/project.js';

const CODE = '20220211';
const ATTRIBUTES = ['controlState', 'effectiveConsumptionLimit', 'myConsumptionLimit'] as const;
const [CONTROLLED, LIMITED] = [1, 2];
const MW_PER_KW = 1e6;

let folder: string;
let bundles: { readonly device: string; readonly controller: string };
let ports: readonly number[];
const programs: Program[] = [];
beforeAll(async () => {
  bundles = { device: await program('mash-device'), controller: await program('mash-controller') };
});
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mash-show-'));
  ports = await freePorts(2);
});
afterEach(async () => {
  await Promise.all(programs.splice(0).map((program) => program.kill()));
  await rm(folder, { recursive: true, force: true });
});

function start(...args: readonly string[]): Program {
  const program = new Program(...args);
  programs.push(program);
  return program;
}

const is = (message: string) => (line: Record<string, unknown>) => line['message'] === message;

/** The device on its state folder; resolves when it is announced. */
async function device(...more: readonly string[]): Promise<{ program: Program; atStart: readonly Record<string, unknown>[] }> {
  const [operational, commissioning] = ports.map(String) as [string, string];
  const where = ['--state', path.join(folder, 'device'), '--port', operational, '--commissioning-port', commissioning];
  const known = ['--setup-code', CODE, '--discriminator', '1234', '--log-format', 'json'];
  const program = start(bundles.device, ...where, ...known, '--set', 'commissioning.coolDown=0', ...more);
  const heard: Record<string, unknown>[] = [];
  await program.says('started', (line) => heard.push(line) > 0 && is('started')(line));
  return { program, atStart: heard };
}

function controller(zone: 'grid' | 'home', ...args: readonly string[]): Program {
  return start(bundles.controller, '--zone', path.join(folder, zone), '--zone-type', zone, '--json', ...args);
}

/** One command, to its end. */
async function order(zone: 'grid' | 'home', ...args: readonly string[]): Promise<Record<string, unknown>> {
  const program = controller(zone, ...args);
  const said = await program.says('a result', () => true);
  expect([await program.exited, said]).toMatchObject([0, {}]);
  return said;
}

async function join(zone: 'grid' | 'home'): Promise<void> {
  const [operational, commissioning] = ports;
  const where = ['--address', `[::1]:${commissioning}`, '--operational-port', String(operational)];
  await order(zone, 'commission', CODE, '--discriminator', '1234', ...where);
}

/** A follower, and the values that its screen shows. */
function follower(zone: 'grid' | 'home') {
  const program = controller(zone, 'subscribe', ...ATTRIBUTES.map((name) => `EnergyControl/${name}`), '--follow');
  const screen = new Map<string, unknown>();
  const shows = async (state: number, effective: number | null, own: number | null): Promise<void> => {
    const due = [state, effective === null ? null : effective * MW_PER_KW, own === null ? null : own * MW_PER_KW];
    await program.says(JSON.stringify(due), (line) => {
      for (const [name, value] of Object.entries((line['values'] as Record<string, unknown> | undefined) ?? {})) screen.set(name, value);
      return ATTRIBUTES.every((name, i) => screen.get(name) === due[i]);
    });
  };
  const event = (name: string) => program.says(name, (line) => line['event'] === name);
  return { program, shows, event };
}

describe('the show: two controllers limit and watch at once; one is killed, then the other; the device is killed in failsafe', () => {
  it('features.md §1, §3, §4: the numbers on the screens are those of the rules', async () => {
    const { program: first } = await device('--log-level', 'debug');
    await join('home');
    first.child.kill('SIGUSR1');
    await first.says('window', is('commissioning window opened'));
    await join('grid');

    const grid = follower('grid');
    const home = follower('home');
    await Promise.all([grid.shows(CONTROLLED, null, null), home.shows(CONTROLLED, null, null)]);

    // A zone has one connection: an order of its own replaces its follower's, which comes back.
    expect(await order('home', 'limit', '8')).toMatchObject({ result: { applied: true, effectiveConsumptionLimit: 8 * MW_PER_KW } });
    await grid.shows(LIMITED, 8, null);
    await home.event('lost');
    await home.shows(LIMITED, 8, 8);

    expect(await order('grid', 'limit', '6')).toMatchObject({ result: { effectiveConsumptionLimit: 6 * MW_PER_KW } });
    await home.shows(LIMITED, 6, 8);
    await grid.event('lost');
    await grid.shows(LIMITED, 6, 6);

    expect(await order('home', 'limit', '5', '--cause', 'LOCAL_PROTECTION')).toMatchObject({ result: { applied: true } });
    await grid.shows(LIMITED, 5, 6);
    await home.event('lost');
    await home.shows(LIMITED, 5, 5);
    await order('home', 'limit', '10');
    await grid.shows(LIMITED, 6, 6);
    await home.event('lost');
    await home.shows(LIMITED, 6, 10);

    // features.md §1: "connection lost, others remain" changes nothing, "last connection lost" is FAILSAFE.
    const [{ id }] = (await order('grid', 'zones')) as unknown as [{ id: string }];
    first.forget();
    await grid.program.kill();
    const gone = await first.says('the loss of grid', (line) => is('zone disconnected')(line) || is('control state')(line));
    expect(gone).toMatchObject({ message: 'zone disconnected', zone: id });
    await home.program.kill();
    const failsafe = await first.says('failsafe', is('control state'));
    expect(failsafe['state']).toBe('FAILSAFE');
    expect(failsafe).toMatchObject({ consumptionLimit: 4.2 * MW_PER_KW, failsafeSeconds: 14_400 });
    await first.says(
      'its remainder is durable',
      (line) => is('committed')(line) && (line['keys'] as string[]).includes('energy/1/failsafe'),
    );

    // Its duration would be another now: what follows is the remainder of the journal.
    await first.kill();
    const { program: second, atStart } = await device('--set', 'failsafe.duration=7200000');
    const resumed = atStart.find(is('control state'));
    expect(resumed).toMatchObject({ state: 'FAILSAFE', consumptionLimit: 4.2 * MW_PER_KW });
    expect(resumed?.['failsafeSeconds']).toBeGreaterThan(7200);
    expect(resumed?.['failsafeSeconds']).toBeLessThanOrEqual(14_400);

    // On return the stored limits apply at once, of every zone.
    const again = follower('home');
    await again.shows(LIMITED, 6, 10);
    expect(await second.says('the return', is('control state'))).toMatchObject({ state: 'LIMITED', consumptionLimit: 6 * MW_PER_KW });
    again.program.child.kill('SIGINT');
    expect(await again.program.exited).toBe(0);
    second.child.kill('SIGTERM');
    expect(await second.exited).toBe(0);
  });
});
