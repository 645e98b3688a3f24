import { describe, expect, it } from 'vitest';
import { DeviceRemote, isInHome, nextRemote, type RemoteEvent, type RemoteState } from '../../src/device/remote.js';
import { ConfigError, NetworkError } from '../../src/errors.js';
import type { PortMapper, PortOpening } from '../../src/platform.js';
import { VirtualClock } from '../world/clock.js';
import { makeZone } from '../world/controller.js';
import { DeviceWorld } from '../world/device-world.js';
import { MemoryLog } from '../world/log.js';
import { VirtualLink, VirtualMulticast } from '../world/network.js';
import { ZonePeer } from '../world/zone-peer.js';

const HOUR = 3_600_000;
const OPENING: PortOpening = { address: '2001:db8::1', port: 8443, lease: HOUR };
const HELD = { opening: OPENING, until: HOUR };

describe('nextRemote', () => {
  const resting: RemoteState = { kind: 'resting', held: HELD, failures: 0, due: HOUR / 2 };
  const asking: RemoteState = { kind: 'asking', held: HELD, failures: 1, moved: false };
  const ask = (held: typeof HELD | undefined, failures: number) =>
    ({ state: { kind: 'asking', held, failures, moved: false }, effect: 'open' }) as const;

  it.each<[string, RemoteState, RemoteEvent, number, ReturnType<typeof nextRemote>]>([
    ['a zone comes', { kind: 'idle' }, { type: 'wanted' }, 0, ask(undefined, 0)],
    ['no zone, the network changes', { kind: 'idle' }, { type: 'moved' }, 0, { state: { kind: 'idle' } }],
    ['the last zone goes', resting, { type: 'unwanted' }, 1, { state: { kind: 'idle' }, effect: 'release' }],
    ['it goes while asked for', asking, { type: 'unwanted' }, 1, { state: { kind: 'idle' }, effect: 'release' }],
    ['it goes, nothing is open', { kind: 'hopeless' }, { type: 'unwanted' }, 1, { state: { kind: 'idle' } }],
    ['what is missing stays missing', { kind: 'hopeless' }, { type: 'moved' }, 1, { state: { kind: 'hopeless' } }],
    ['half of the lease', resting, { type: 'due' }, HOUR / 2, ask(HELD, 0)],
    ['before', resting, { type: 'due' }, HOUR / 2 - 1, { state: resting }],
    ['the network changes', resting, { type: 'moved' }, 1, ask(HELD, 0)],
    [
      'the lease ends unrenewed',
      { ...resting, due: 2 * HOUR },
      { type: 'due' },
      HOUR,
      { state: { ...resting, held: undefined, due: 2 * HOUR } },
    ],
    ['a second zone', resting, { type: 'wanted' }, 1, { state: resting }],
    ['opened', asking, { type: 'opened', opening: OPENING }, 0, { state: resting }],
    ['the first failure', { ...asking, failures: 0 }, { type: 'failed' }, 0, { state: { ...resting, failures: 1, due: 30_000 } }],
    ['the fifth', { ...asking, failures: 4 }, { type: 'failed' }, 0, { state: { ...resting, failures: 5, due: 480_000 } }],
    ['the fiftieth', { ...asking, failures: 49 }, { type: 'failed' }, 0, { state: { ...resting, failures: 50, due: 900_000 } }],
    ['changed meanwhile', asking, { type: 'moved' }, 0, { state: { ...asking, moved: true } }],
    ['opened, but changed meanwhile', { ...asking, moved: true }, { type: 'opened', opening: OPENING }, 0, ask(HELD, 0)],
    ['nothing can come of it', asking, { type: 'hopeless' }, 0, { state: { kind: 'hopeless' } }],
  ])('%s', (_what, state, event, now, expected) => {
    expect(nextRemote(state, event, now)).toEqual(expected);
  });
});

/** Answers when told to. */
class FakeMapper implements PortMapper {
  readonly calls: string[] = [];
  readonly #answers: ((error?: Error) => void)[] = [];
  /** What it does without being told. */
  outcome: 'opens' | 'waits' | Error = 'opens';

  open(port: number): Promise<PortOpening> {
    this.calls.push(`open ${port}`);
    return this.#answer(OPENING);
  }

  release(): Promise<void> {
    this.calls.push('release');
    return this.#answer(undefined);
  }

  answer(error?: Error): void {
    this.#answers.shift()?.(error);
  }

  #answer<T>(value: T): Promise<T> {
    if (this.outcome === 'opens') return Promise.resolve(value);
    if (this.outcome !== 'waits') return Promise.reject(this.outcome);
    return new Promise((resolve, reject) => this.#answers.push((error) => (error === undefined ? resolve(value) : reject(error))));
  }
}

async function home() {
  const clock = new VirtualClock(0);
  const mapper = new FakeMapper();
  const log = new MemoryLog();
  const on = { name: 'eth0', link: new VirtualLink(clock), addresses: ['fe80::1/64', '2001:db8::1/64'] };
  const multicast = new VirtualMulticast([on]);
  const changes = { count: 0 };
  const onChanged = (): void => void changes.count++;
  const remote = new DeviceRemote({ mapper, multicast, clock, log, port: () => 8443, onChanged });
  await remote.start();
  const said = (level: string) => log.lines.filter((line) => line.level === level).map(({ message }) => message);
  return { clock, mapper, log, multicast, on, remote, said };
}

describe('DeviceRemote', () => {
  it('opens for the first zone, renews at half of the lease, tells in the status until when, and releases at the end', async () => {
    const { clock, mapper, remote, said, multicast } = await home();
    remote.want(false);
    await clock.advance(HOUR);
    expect([mapper.calls, remote.status]).toEqual([[], { opening: undefined, problem: undefined }]);
    remote.want(true);
    await clock.advance(0);
    expect(remote.status.opening).toEqual({ address: '2001:db8::1', port: 8443, until: 2 * HOUR });
    await clock.advance(HOUR / 2 - 1);
    expect(mapper.calls).toEqual(['open 8443']);
    await clock.advance(1);
    expect([mapper.calls.length, remote.status.opening?.until]).toEqual([2, 2.5 * HOUR]);
    expect([said('info'), said('debug')]).toEqual([
      ['the operational port is open to the internet'],
      ['the port on the router is renewed'],
    ]);
    await remote.close();
    expect([mapper.calls.at(-1), multicast.closed, remote.status.opening]).toEqual(['release', true, undefined]);
    await clock.advance(10 * HOUR);
    expect([mapper.calls.length, clock.pending()]).toEqual([3, []]);
  });

  it('a router that fails is asked again with back-off; what is open counts until its lease ends; its return is enough', async () => {
    const { clock, mapper, remote, said } = await home();
    remote.want(true);
    await clock.advance(0);
    mapper.outcome = new NetworkError('gone');
    await clock.advance(HOUR / 2);
    expect(remote.status).toMatchObject({ opening: { until: HOUR }, problem: 'gone' });
    await clock.advance(HOUR / 2);
    expect(remote.status).toEqual({ opening: undefined, problem: 'gone' });
    // At 30 min, then 0.5, 1, 2, 4, 8 and 15 minutes later.
    expect(mapper.calls.length).toBe(1 + 6);
    expect(new Set(said('warn'))).toEqual(new Set(['the router does not open the operational port']));
    mapper.outcome = 'opens';
    await clock.advance(900_000);
    expect(remote.status).toMatchObject({ opening: { port: 8443 }, problem: undefined });
    await remote.close();
  });

  it('what cannot succeed is not tried again', async () => {
    const { clock, mapper, remote } = await home();
    mapper.outcome = new ConfigError('remote.portMapping', 'not installed');
    remote.want(true);
    await clock.advance(10 * HOUR);
    expect([mapper.calls, remote.status.problem]).toEqual([['open 8443'], 'remote.portMapping: not installed']);
    await remote.close();
    expect(mapper.calls).toEqual(['open 8443']);
  });

  it('a changed address opens anew at once; while the router is being asked, after it', async () => {
    const { clock, mapper, remote, multicast, on } = await home();
    mapper.outcome = 'waits';
    remote.want(true);
    await clock.advance(0);
    multicast.setInterfaces([{ ...on, addresses: ['fe80::1/64', '2001:db8::2/64'] }]);
    await clock.advance(0);
    expect(mapper.calls.length).toBe(1);
    mapper.answer();
    await clock.advance(0);
    expect(mapper.calls.length).toBe(2);
    mapper.answer();
    await clock.advance(0);
    multicast.setInterfaces([on]);
    await clock.advance(0);
    expect(mapper.calls).toEqual(['open 8443', 'open 8443', 'open 8443']);
    mapper.outcome = 'opens';
    mapper.answer();
    await remote.close();
  });

  it('the last zone goes and another comes while the router is asked: closed, then open, in that order', async () => {
    const { clock, mapper, remote } = await home();
    mapper.outcome = 'waits';
    remote.want(true);
    await clock.advance(0);
    remote.want(false);
    remote.want(true);
    mapper.outcome = 'opens';
    mapper.answer();
    await clock.advance(0);
    expect(mapper.calls).toEqual(['open 8443', 'release', 'open 8443']);
    expect(remote.status.opening?.port).toBe(8443);
    await remote.close();
  });

  it('a silent router keeps the stop waiting for one second, and the log says what stays', async () => {
    const { clock, mapper, remote, said } = await home();
    remote.want(true);
    await clock.advance(0);
    mapper.outcome = 'waits';
    const closed = remote.close();
    await clock.advance(1000);
    await closed;
    expect(said('warn')).toEqual(['the router has not confirmed that the port is closed: its lease ends within the hour']);
  });

  it('a removal that failed is told', async () => {
    const { clock, mapper, remote, said } = await home();
    remote.want(true);
    await clock.advance(0);
    mapper.outcome = new NetworkError('listed still');
    await remote.close();
    expect(said('warn')).toEqual(['the port on the router may be open until its lease ends, within the hour']);
  });
});

describe('commissioning where the internet reaches the operational port', () => {
  const bytes = Uint8Array.from([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
  const interfaces = [{ name: 'eth0', addresses: [{ family: 6 as const, bytes, text: '2001:db8::1', prefixLength: 64 }] }];

  it.each(['fe80::9%eth0', 'fd00::9', '2001:db8::9', '::1', '127.0.0.1', '192.168.9.9', '::ffff:10.1.2.3', '172.31.0.1'])(
    '%s is in the home',
    (remote) => {
      expect(isInHome(remote, interfaces)).toBe(true);
    },
  );

  it.each(['2001:db8:0:1::9', '2a00::1', '::ffff:203.0.113.5', '203.0.113.5', '100.64.0.1', '172.32.0.1', 'gone'])(
    '%s is not',
    (remote) => {
      expect(isInHome(remote, interfaces)).toBe(false);
    },
  );
});

describe('the device', () => {
  it('opens its operational port with its first zone, tells it, and closes it with the last', async () => {
    const portMapper = new FakeMapper();
    const world = await DeviceWorld.start({ set: { 'remote.portMapping': 'upnp' }, portMapper });
    expect([portMapper.calls, world.device.status.remote]).toEqual([[], { opening: undefined, problem: undefined }]);
    const zone = await ZonePeer.commission(world, 'draft', makeZone('Home'));
    await world.until(() => world.device.status.remote?.opening !== undefined, 'the port on the router');
    expect(portMapper.calls).toEqual([`open ${world.port}`]);
    await zone.ask(
      4,
      new Map<number, unknown>([
        [1, 16],
        [2, new Map([['zoneId', zone.zoneId]])],
      ]) as never,
    );
    await world.until(() => portMapper.calls.includes('release'), 'the release');
    await world.close();
    expect(portMapper.calls).toEqual([`open ${world.port}`, 'release']);
  });

  it('has no such thing in its status where it is off, and does not start where nothing can open ports', async () => {
    const world = await DeviceWorld.start({ portMapper: new FakeMapper() });
    expect(world.device.status.remote).toBeUndefined();
    await world.close();
    await expect(DeviceWorld.start({ set: { 'remote.portMapping': 'upnp' } })).rejects.toThrow(
      'remote.portMapping: this platform cannot open ports',
    );
  });
});
