import { hostname } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { planWatched } from '../../src/cli/commands/subscribe.js';
import { backOff } from '../../src/controller/follow.js';
import { Browser } from '../../src/discovery/browser.js';
import { COMMISSIONER } from '../../src/discovery/commissioner-service.js';
import { truncateText } from '../../src/discovery/name.js';
import { SeededEntropy } from '../world/entropy.js';
import { VirtualMulticast } from '../world/network.js';
import { Lines, lonely, type Ran, run } from './line.js';

const alone = (...argv: string[]) => run(['--zone', '/nowhere', ...argv], lonely);

describe('usage errors: exit code 2, before anything is touched', () => {
  it.each([
    [['subscribe'], /missing required argument/],
    [['subscribe', 'device'], /path: at least one path is due/],
    [['subscribe', 'EnergyControl/contrlState'], /attribute: 'contrlState' .*closest name is 'controlState'/],
    [['subscribe', 'device', 'EnergyContrl'], /feature: 'EnergyContrl' .*closest name is 'EnergyControl'/],
    [['subscribe', 'Status', '--min-interval', 'x'], /--min-interval: 'x'/],
    [['read', 'Status', '--all'], /--all: a path says what to read/],
  ])('%j', async (argv, message) => {
    expect(await alone(...argv)).toMatchObject({ code: 2, out: '', err: expect.stringMatching(message) });
  });

  it('without a zone: exit code 3', async () => {
    expect((await alone('subscribe', 'Status')).code).toBe(3);
    expect((await alone('subscribe', 'Status', '--follow')).code).toBe(3);
  });
});

it('attributes of one feature are one subscription, all of it where the feature is named', () => {
  const plan = planWatched(['EnergyControl/2', '1/EnergyControl/2', 'EnergyControl/20', 'EnergyControl/2', 'Status/1', 'Status'], {
    minInterval: 5,
  });
  expect(plan).toEqual([
    { endpoint: undefined, feature: 5, attributes: [2, 20], minimum: 5, maximum: undefined },
    { endpoint: 1, feature: 5, attributes: [2], minimum: 5, maximum: undefined },
    { endpoint: undefined, feature: 2, attributes: undefined, minimum: 5, maximum: undefined },
  ]);
});

it('MASH.C.CONN.BACKOFF: 1 s, doubled up to 60 s, a quarter of jitter', () => {
  const waits = (random: number) => [0, 1, 2, 5, 6, 7, 2000].map((attempt) => backOff({ bytes: () => Uint8Array.of(random) }, attempt));
  expect(waits(0)).toEqual([750, 1500, 3000, 24_000, 45_000, 45_000, 45_000]);
  expect(waits(255)).toEqual([1250, 2500, 5000, 40_000, 75_000, 75_000, 75_000]);
});

describe('with a device', () => {
  let lines: Lines;
  beforeEach(async () => {
    lines = await Lines.start();
    await lines.join('home');
  });
  afterEach(() => lines.close());

  /** A follower whose lines are waited for. */
  function follower(zone: string, ...argv: string[]) {
    const told = { out: '', err: '' };
    let stop = (): void => {};
    const io = {
      out: (text: string): void => {
        told.out += text;
      },
      err: (text: string): void => {
        told.err += text;
      },
      onInterrupt: (given: () => void) => {
        stop = given;
        return () => {};
      },
    };
    const ran: Promise<Ran> = run([...lines.zone(zone), 'subscribe', ...argv, '--follow'], lines.machine, io);
    return {
      told,
      /** The search for the device takes virtual time. */
      shows: (text: string) => lines.world.until(() => `${told.out}${told.err}`.includes(text)),
      stop: () => {
        stop();
        return lines.world.drive(ran);
      },
      ran,
    };
  }

  it('without --follow: the priming values, once', async () => {
    const ran = await lines.go('subscribe', 'EnergyControl/controlState', 'DeviceInfo/specVersion');
    expect(ran).toMatchObject({ code: 0 });
    expect(ran.out).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} {2}1\/EnergyControl {2}controlState {2}CONTROLLED\n.* {2}0\/DeviceInfo {2}specVersion {2}1\.0\n$/,
    );
    expect(await lines.json('subscribe', 'Status/99')).toMatchObject({ code: 1, value: { error: { status: 'UNKNOWN_ATTRIBUTE' } } });
    const bad = ['subscribe', 'Status', '--min-interval', '5000', '--max-interval', '1000'];
    expect(await lines.json(...bad)).toMatchObject({ code: 1, value: { error: { status: 'CONSTRAINT' } } });
  });

  it('--follow: priming and every notification as it comes, another zone beside; Ctrl-C ends it with 0', async () => {
    await lines.join('grid');
    const home = follower(
      'home',
      'EnergyControl/effectiveConsumptionLimit',
      'EnergyControl/myConsumptionLimit',
      'EnergyControl/controlState',
    );
    await home.shows('myConsumptionLimit         -');
    // features.md §6: a change leaves once minInterval has passed since the priming.
    await lines.world.device.clock.advance(1000);
    expect(await lines.as('grid', 'limit', '6')).toMatchObject({ code: 0 });
    await home.shows('effectiveConsumptionLimit  6 kW');
    await home.shows('controlState               LIMITED');
    expect(home.told.out).not.toContain('myConsumptionLimit         6');
    expect(await home.stop()).toMatchObject({ code: 0 });
    expect(home.told.err).not.toContain('lost');
  });

  it('--follow: the zone is announced meanwhile (_mashd._udp), and not by a command that ends', async () => {
    const { device } = lines.world;
    const listener = new VirtualMulticast([{ name: 'eth0', link: device.link, addresses: ['fe80::d/64'] }]);
    const browser = new Browser({ multicast: listener, clock: device.clock, entropy: new SeededEntropy(5), log: device.log });
    await browser.start();
    const seen: string[] = [];
    browser.browse(COMMISSIONER, {
      added: ({ instance, port, txt }) => seen.push(`${instance} ${port} ${txt.get('ZN')} ${txt.get('DC')}`),
      removed: ({ instance }) => seen.push(`- ${instance}`),
    });
    await lines.go('subscribe', 'Status');
    await device.clock.advance(5000);
    expect(seen).toEqual([]);
    await lines.join('grid');
    const [home, grid] = [follower('home', 'Status'), follower('grid', 'Status')];
    await home.shows('operatingState');
    await grid.shows('operatingState');
    await device.clock.advance(5000);
    expect(seen).toHaveLength(2);
    const instance = new RegExp(`^Home Energy \\(${truncateText(hostname(), 32)} [0-9a-f]{4}\\) 0 Home Energy 1$`, 'i');
    expect(seen).toContainEqual(expect.stringMatching(instance));
    expect(await home.stop()).toMatchObject({ code: 0 });
    expect(await grid.stop()).toMatchObject({ code: 0 });
    await device.clock.advance(2000);
    expect(seen.filter((line) => line.startsWith('- '))).toHaveLength(2);
    expect(home.told.err + grid.told.err).not.toContain('taken');
    await browser.close();
  });

  it('--json: one value a line, with what happens to the connection', async () => {
    const home = follower('home', 'EnergyControl/controlState', '--json');
    await home.shows('"priming"');
    await home.stop();
    const told = home.told.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(told).toMatchObject([
      { event: 'connected', again: false },
      { event: 'priming', endpoint: 1, feature: 'EnergyControl', values: { controlState: 1 } },
    ]);
  });

  it('a lost connection is told and made again after the back-off, primed anew', async () => {
    const home = follower('home', 'EnergyControl/effectiveConsumptionLimit');
    await home.shows('effectiveConsumptionLimit  -');
    // A zone has one connection: this one replaces the follower's.
    await lines.as('home', 'limit', '5');
    await home.shows('connection lost:');
    expect(home.told.err).toMatch(/trying again in \d\.\d s/);
    await lines.world.device.clock.advance(1300);
    await home.shows('connected again');
    await home.shows('effectiveConsumptionLimit  5 kW');
    expect(await home.stop()).toMatchObject({ code: 0 });
  });

  it('Ctrl-C ends the wait for a device that is gone', async () => {
    const home = follower('home', 'Status');
    await home.shows('operatingState');
    await lines.world.device.close();
    await home.shows('connection lost:');
    expect(await home.stop()).toMatchObject({ code: 0 });
  });

  it('a subscription that is refused ends it: exit code 1', async () => {
    const home = follower('home', '1/Status/99');
    expect(await lines.world.drive(home.ran)).toMatchObject({ code: 1 });
    expect(home.told.err).toContain('UNKNOWN_ATTRIBUTE');
  });

  it('read --all: the sequence of §7.3, remembered by devices', async () => {
    const { code, out } = await lines.go('read', '--all');
    expect(code).toBe(0);
    expect(out.split('\n').filter((line) => /^\d\//.test(line))).toEqual([
      '0/DeviceInfo',
      '1/Electrical',
      '1/EnergyControl',
      '1/Measurement',
      '1/Status',
    ]);
    expect(out).toMatch(/^nominalVoltage +230 V$/m);
    expect((await lines.go('devices')).out).toMatch(/ confirmed {2}0 DEVICE_ROOT, 1 EV_CHARGER /);
    const [device] = JSON.parse((await lines.go('devices', '--json')).out);
    expect(device).toMatchObject({
      degraded: false,
      endpoints: [
        { id: 0, type: 'DEVICE_ROOT' },
        { id: 1, features: expect.arrayContaining(['EnergyControl']) },
      ],
    });
  });
});
