import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DevicePairing, type PairingEvents } from '../../src/device/pairing.js';
import { Advertiser, type Published } from '../../src/discovery/advertiser.js';
import { encodeMessage, responseMessage } from '../../src/discovery/message.js';
import { nameOf } from '../../src/discovery/name.js';
import { pairingRequestService } from '../../src/discovery/pairing-request.js';
import { recordPolicy, serviceRecords } from '../../src/discovery/service.js';
import { VirtualClock } from '../world/clock.js';
import { DeviceWorld, DISCRIMINATOR } from '../world/device-world.js';
import { SeededEntropy } from '../world/entropy.js';
import { MemoryLog } from '../world/log.js';
import { VirtualLink, VirtualMulticast } from '../world/network.js';

const ZONE = 'A1B2C3D4E5F6A7B8';
const request = (discriminator: number, zoneId = ZONE) => pairingRequestService({ zoneId, zoneName: 'Home', discriminator });

/** A controller on the link that publishes requests. */
async function controller(clock: VirtualClock, link: VirtualLink): Promise<Advertiser> {
  const advertiser = new Advertiser({
    multicast: new VirtualMulticast([{ name: 'c0', link, addresses: ['fe80::c/64'] }]),
    clock,
    entropy: new SeededEntropy(5),
    log: new MemoryLog(),
    hostName: 'mash-cccccccc.local',
    policy: recordPolicy('reference', false),
  });
  await advertiser.start();
  return advertiser;
}

describe('requests that a device hears (reference-behaviour §4.11)', () => {
  let clock: VirtualClock;
  let link: VirtualLink;
  let pairing: DevicePairing;
  let asking: Advertiser;
  let heard: string[];
  let busy: boolean;
  let multicast: VirtualMulticast;

  beforeEach(async () => {
    clock = new VirtualClock();
    link = new VirtualLink(clock);
    heard = [];
    busy = false;
    const events: PairingEvents = { isBusy: () => busy, onRequest: (zoneId) => heard.push(`${clock.now()} ${zoneId}`) };
    multicast = new VirtualMulticast([{ name: 'd0', link, addresses: ['fe80::d/64'] }]);
    pairing = new DevicePairing({ multicast, clock, entropy: new SeededEntropy(4), log: new MemoryLog() }, 7, events);
    await pairing.start();
    asking = await controller(clock, link);
  });
  afterEach(() => pairing.close());

  /** Announces a request at a time, and takes it back after a second. */
  async function ask(at: number, zoneId = ZONE, discriminator = 7): Promise<void> {
    await clock.advance(at - clock.now());
    const published = asking.publish(request(discriminator, zoneId));
    await clock.advance(2000);
    published.withdraw();
    await clock.advance(3000);
  }

  it('are TXT D, ZI, ZN, instance <ZI>-<D>, port 0', () => {
    expect(request(7)).toEqual({
      type: '_mashp._udp',
      instance: `${ZONE}-7`,
      port: 0,
      txt: [
        ['D', '7'],
        ['ZI', ZONE],
        ['ZN', 'Home'],
      ],
    });
  });

  it('count where the discriminator matches, once while they last', async () => {
    await ask(0, ZONE, 8);
    expect(heard).toEqual([]);
    await clock.advance(10_000 - clock.now());
    asking.publish(request(7));
    await clock.advance(1_000_000);
    // RFC 6762 §8.1: the controller has probed for its names before.
    expect(heard).toHaveLength(1);
    expect(Number(heard[0]?.split(' ')[0])).toBeLessThanOrEqual(11_001);
  });

  it('that were there before the device are heard', async () => {
    await pairing.close();
    asking.publish(request(7));
    await clock.advance(10_000);
    multicast = new VirtualMulticast([{ name: 'd0', link, addresses: ['fe80::d/64'] }]);
    const events: PairingEvents = { isBusy: () => false, onRequest: () => heard.push('late') };
    pairing = new DevicePairing({ multicast, clock, entropy: new SeededEntropy(4), log: new MemoryLog() }, 7, events);
    await pairing.start();
    await clock.advance(300);
    expect(heard).toEqual(['late']);
  });

  it('count at most once in 60 s, whoever asks', async () => {
    await ask(0);
    await ask(30_000, 'B1B2C3D4E5F6A7B8');
    await ask(59_000);
    await ask(70_000, 'C1B2C3D4E5F6A7B8');
    expect(heard.map((line) => line.split(' ')[1])).toEqual([ZONE, 'C1B2C3D4E5F6A7B8']);
  });

  it('are ignored while the window is open or no zone fits, also afterwards; a new one counts', async () => {
    busy = true;
    const published = asking.publish(request(7));
    await clock.advance(10_000);
    busy = false;
    await clock.advance(300_000);
    expect(heard).toEqual([]);
    published.withdraw();
    await clock.advance(5000);
    asking.publish(request(7));
    await clock.advance(1100);
    expect(heard).toHaveLength(1);
  });

  it('are seen afresh after a restart of the look-out', async () => {
    asking.publish(request(7));
    await clock.advance(70_000);
    pairing.restart();
    await clock.advance(1000);
    expect(heard).toHaveLength(2);
  });

  it('need no address: the TXT is enough; ten thousand of them are one', async () => {
    const source = { interfaceName: 'd0', address: 'fe80::66', port: 5353 };
    for (let i = 0; i < 10_000; i++) {
      const zoneId = i.toString(16).padStart(16, '0');
      const { ptr, txt } = serviceRecords(request(7, zoneId), nameOf('x.local'), recordPolicy('reference', false));
      multicast.deliver(encodeMessage(responseMessage({ answers: [ptr, txt] })), source);
    }
    await clock.advance(30_000);
    expect(heard).toHaveLength(1);
  });

  it('nothing is heard after close', async () => {
    await pairing.close();
    asking.publish(request(7));
    await clock.advance(10_000);
    expect(heard).toEqual([]);
  });
});

describe('the window of a device', () => {
  let world: DeviceWorld;
  let published: Published | undefined;
  afterEach(() => world.close());

  async function ask(profile: 'draft' | 'reference', options: { set?: Record<string, string> } = {}): Promise<void> {
    world = await DeviceWorld.start({
      profile,
      windowAtStart: 'closed',
      ...options,
      set: { 'commissioning.openAtStart': 'never', ...options.set },
    });
    const asking = await controller(world.clock, world.link);
    published = asking.publish(request(DISCRIMINATOR));
    await world.clock.advance(1100);
  }

  it('TC-COMM-WINDOW-002: a request opens it in profile reference, for its full length', async () => {
    await ask('reference');
    expect(world.device.status.windowUntil).toBeDefined();
    await world.clock.advance(900_000);
    expect(world.device.status.windowUntil).toBeUndefined();
    published?.withdraw();
  });

  it('stays closed in profile draft, whatever is asked', async () => {
    await ask('draft');
    await world.clock.advance(10_000);
    expect(world.device.status.windowUntil).toBeUndefined();
  });
});
