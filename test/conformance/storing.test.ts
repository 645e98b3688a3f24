import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MockFlash } from '../../hal/mock/index.js';
import type { CborValue } from '../../src/codec/cbor.js';
import { Journal } from '../../src/store/journal.js';
import { makeZone, mapOf, readAll, StepController, type TestZone } from '../world/controller.js';
import { DeviceWorld } from '../world/device-world.js';
import { MemoryLog } from '../world/log.js';
import { ZonePeer } from '../world/zone-peer.js';

let world: DeviceWorld;
beforeEach(async () => {
  world = await DeviceWorld.start({ set: { 'session.liveness': 'tcp' } });
});
let letGo = (): void => {};
afterEach(async () => {
  letGo();
  await world.close();
});

/** Holds up every commit from now on, until `letGo`. */
function holdCommits(): void {
  const { flash } = world;
  const sync = MockFlash.prototype.sync.bind(flash);
  const gate = new Promise<void>((resolve) => {
    letGo = () => {
      flash.sync = sync;
      resolve();
    };
  });
  flash.sync = async () => {
    await gate;
    await sync();
  };
}

async function journalKeys(): Promise<readonly string[]> {
  const journal = await Journal.open(new MockFlash({ sectorSize: 65_536, sectorCount: 2, image: world.flash.image() }), new MemoryLog());
  return journal.keys('zone/');
}

/** Everything up to CERT_INSTALL, which is sent. */
async function installing(zone: TestZone): Promise<StepController> {
  const steps = new StepController(await world.connect(), 'draft', zone);
  for (const step of steps.steps.slice(0, -1)) {
    step();
    steps.take(await steps.receive());
  }
  steps.certInstall();
  await world.untilPending('CERT_INSTALL');
  return steps;
}

async function operates(zone: TestZone, serverName: string): Promise<boolean> {
  const peer = await world.connect({ alpn: ['mash/1'], serverName, certificate: zone.controller });
  peer.send(readAll(5));
  const answer = await peer.next();
  return answer !== undefined && mapOf(answer).get(2) === 0;
}

const takenBack = (): boolean => world.log.lines.some(({ message }) => message.includes('taken back'));

describe('protocol.md §2.10: a commit outlives its connection', () => {
  it('the zone commissioned behind it keeps its slot, in memory and in the journal', async () => {
    holdCommits();
    const first = await installing(makeZone('First'));
    first.peer.destroy();
    await world.until(() => !world.clock.pending().some(({ name }) => name === 'CERT_INSTALL'), 'the session gone');
    const zone = makeZone('Second');
    const second = await installing(zone);
    letGo();
    expect(await second.receive()).toMatchObject({ type: 'certAck', status: 0 });
    await world.until(takenBack, 'the roll-back');
    await world.clock.advance(10);
    await world.until(() => world.device.status.zones.length === 1, 'one zone');
    expect(world.device.status.zones).toMatchObject([{ id: zone.ca.zoneId }]);
    expect(await journalKeys()).toHaveLength(1);
    await world.close();
    world.flash.powerUp();
    await world.boot();
    expect(world.device.status.zones).toMatchObject([{ id: zone.ca.zoneId }]);
    expect(await operates(zone, second.deviceId)).toBe(true);
  });

  it('the same controller at once again', async () => {
    holdCommits();
    const zone = makeZone('First');
    const first = await installing(zone);
    first.peer.destroy();
    await world.until(() => !world.clock.pending().some(({ name }) => name === 'CERT_INSTALL'), 'the session gone');
    const second = await installing(zone);
    letGo();
    expect(await second.receive()).toMatchObject({ type: 'certAck', status: 0 });
    await world.until(takenBack, 'the roll-back');
    await world.until(() => world.device.status.zones.length === 1, 'one zone');
    await world.close();
    world.flash.powerUp();
    await world.boot();
    expect(world.device.status.zones).toMatchObject([{ id: zone.ca.zoneId }]);
    expect(await operates(zone, second.deviceId)).toBe(true);
  });

  async function tooLate(pass: number): Promise<void> {
    holdCommits();
    const steps = await installing(makeZone('First'));
    await world.clock.advance(pass - 1);
    expect(steps.peer.pendingFrames).toBe(0);
    await world.clock.advance(1);
    expect(await steps.receive()).toMatchObject({ type: 'certAck', status: 2 });
    letGo();
    await world.until(takenBack, 'the roll-back');
    await world.until(() => world.device.status.zones.length === 0, 'no zone');
    expect(await journalKeys()).toEqual([]);
  }

  it('beyond the 5 s of CERT_INSTALL it is answered with 2, and the zone is taken back', () => tooLate(5000));

  it('beyond the end of the window, too', async () => {
    await world.close();
    world = await DeviceWorld.start({ set: { 'commissioning.install': '60000' } });
    await world.clock.advance(118_000);
    await tooLate(2000);
  });

  it('a zone that is being taken back takes no connection, and leaves none', async () => {
    holdCommits();
    const zone = makeZone('First');
    const first = await installing(zone);
    first.peer.destroy();
    await world.until(() => !world.clock.pending().some(({ name }) => name === 'CERT_INSTALL'), 'the session gone');
    letGo();
    holdCommits();
    await world.until(takenBack, 'the roll-back');
    expect(await operates(zone, first.deviceId)).toBe(false);
    letGo();
    await world.until(() => world.device.status.zones.length === 0, 'gone');
    expect(world.device.status.energy).toMatchObject([{ controlState: 0 }]);
  });
});

describe('RemoveZone while it is being stored', () => {
  const removal = (zoneId: string): CborValue =>
    new Map<number, CborValue>([
      [1, 16],
      [2, new Map([['zoneId', zoneId]])],
    ]);

  it('a connection of the zone that is being removed is refused, and nothing of it stays', async () => {
    const home = await ZonePeer.commission(world, 'draft', makeZone('Home'));
    holdCommits();
    home.send(4, removal(home.zoneId));
    await world.untilPending('request');
    expect(await operates(home.zone, home.deviceId)).toBe(false);
    letGo();
    expect(mapOf(await home.peer.receive()).get(2)).toBe(0);
    await home.peer.receive();
    await world.until(() => world.device.status.zones.length === 0, 'gone');
    expect(world.device.status.energy).toMatchObject([{ controlState: 0 }]);
  });

  it('asked for by two zones at once, it is done once', async () => {
    const home = await ZonePeer.commission(world, 'draft', makeZone('Home'));
    await world.clock.advance(20_000);
    await world.press();
    const grid = await ZonePeer.commission(world, 'draft', makeZone('Grid', 1));
    holdCommits();
    home.send(4, removal(home.zoneId));
    await world.untilPending('request');
    grid.send(4, removal(home.zoneId));
    // The other one's removal is under way: there is no such zone any more.
    expect(mapOf(await grid.peer.receive()).get(2)).toBe(4);
    letGo();
    expect(mapOf(await home.peer.receive()).get(2)).toBe(0);
    expect(world.log.lines.filter(({ message }) => message === 'zone removed')).toHaveLength(1);
  });

  it('a zone that comes back within the time of its close is not connected by what is left of its former self', async () => {
    const home = await ZonePeer.commission(world, 'draft', makeZone('Home'));
    await world.clock.advance(20_000);
    expect((await home.ask(4, removal(home.zoneId))).status).toBe(0);
    await world.clock.advance(1);
    expect(mapOf(await home.peer.receive()).get('type')).toBe('close');
    await world.press();
    const again = new StepController(await world.connect(), 'draft', home.zone);
    expect(await again.run()).toMatchObject({ type: 'certAck', status: 0 });
    expect(home.peer.closed).toBe(false);
    expect(world.device.status.zones).toMatchObject([{ id: home.zoneId, connected: false }]);
    expect(await operates(home.zone, again.deviceId)).toBe(true);
    expect(world.device.status.zones).toMatchObject([{ connected: true }]);
  });
});
