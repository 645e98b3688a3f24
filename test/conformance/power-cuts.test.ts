import { afterEach, describe, expect, it } from 'vitest';
import type { CborMap, CborValue } from '../../src/codec/cbor.js';
import type { DialectName } from '../../src/dialect/messages.js';
import { parseCsr } from '../../src/pki/csr.js';
import { deviceSubject, issueDeviceCertificate } from '../world/certificates.js';
import { failed, makeZone, mapOf, readAll, StepController, type TestZone } from '../world/controller.js';
import { DeviceWorld } from '../world/device-world.js';
import { ZonePeer } from '../world/zone-peer.js';

const INVOKE = 4;
const ENERGY_CONTROL = 5;
const LIMIT = 6_000_000;

const map = (...entries: readonly (readonly [number, CborValue])[]): CborMap => new Map(entries);
const command = (id: number, ...parameters: readonly (readonly [string, CborValue])[]): CborValue => map([1, id], [2, new Map(parameters)]);

let world: DeviceWorld;
afterEach(() => world.close());

const start = (): Promise<DeviceWorld> => DeviceWorld.start({ set: { 'session.liveness': 'tcp' } });

/** The power comes back, and the device with it. */
async function restart(): Promise<void> {
  world.flash.powerOff();
  await world.close().catch(() => undefined);
  world.flash.powerUp();
  await world.boot();
}

async function operates(zone: TestZone, serverName: string): Promise<Uint8Array | undefined> {
  const peer = await world.connect({ alpn: ['mash/1'], serverName, certificate: zone.controller });
  peer.send(readAll(5));
  const answer = await peer.next();
  return answer !== undefined && mapOf(answer).get(2) === 0 ? peer.serverCertificate : undefined;
}

/** How many operations of the medium `work` takes in a world of its own. */
async function operationsOf(work: () => Promise<unknown>): Promise<number> {
  const before = world.flash.operations;
  await work();
  return world.flash.operations - before;
}

/** `begin` a world, then `work` in it with the power cut at each operation of the medium in turn; `judge` what a restart finds. */
async function atEachOperation<T, R>(
  begin: () => Promise<T>,
  work: (given: T) => Promise<R | undefined>,
  judge: (given: T, said: R | undefined) => Promise<void>,
): Promise<number> {
  world = await start();
  const first = await begin();
  const total = await operationsOf(() => work(first));
  for (let operation = 0; operation < total; operation++) {
    await world.close();
    world = await start();
    const given = await begin();
    world.flash.cutAt(world.flash.operations + operation, 7);
    await judge(given, await work(given));
  }
  return total;
}

describe.each<DialectName>(['draft', 'reference'])('the power is cut at every operation of the medium, %s dialect', (dialect) => {
  it('during a commissioning: what was acknowledged is there, whatever else is whole or was never there', async () => {
    const total = await atEachOperation(
      async () => makeZone('Home'),
      async (zone) => {
        const steps = new StepController(await world.connect(), dialect, zone);
        const answer = await steps.run();
        return { steps, acknowledged: !failed(answer) };
      },
      async (zone, said) => {
        await restart();
        const present = world.device.status.zones.length === 1;
        if (said?.acknowledged === true) expect(present).toBe(true);
        if (present) expect(await operates(zone, said?.steps.deviceId ?? '')).toEqual(said?.steps.certificate);
        else expect(await new StepController(await world.connect(), dialect, zone).run()).toMatchObject({ type: 'certAck', status: 0 });
      },
    );
    expect(total).toBeGreaterThan(1);
  });

  it('during a renewal: the former certificate or the new one, the new one where it was acknowledged', async () => {
    const total = await atEachOperation(
      () => ZonePeer.commission(world, dialect, makeZone('Home')),
      async (home) => {
        const before = home.peer.serverCertificate;
        home.peer.send(map([1, 30], [2, new Uint8Array(32)]));
        const { publicKey } = parseCsr(world.crypto, mapOf(await home.peer.receive()).get(2) as Uint8Array);
        const { der } = issueDeviceCertificate(home.zone.ca, publicKey, { subject: deviceSubject(home.deviceId) });
        home.peer.send(map([1, 32], [2, der], [3, 2]));
        const answer = await home.peer.next();
        return { before, der, acknowledged: answer !== undefined && mapOf(answer).get(2) === 0 };
      },
      async (home, said) => {
        await restart();
        const shown = await operates(home.zone, home.deviceId);
        if (said?.acknowledged === true) expect(shown).toEqual(said.der);
        else expect([said?.before, said?.der]).toContainEqual(shown);
      },
    );
    expect(total).toBeGreaterThan(1);
  });

  it('during a removal: the zone with its limit, or nothing of it', async () => {
    const total = await atEachOperation(
      async () => {
        const home = await ZonePeer.commission(world, dialect, makeZone('Home'));
        await home.ask(INVOKE, command(1, ['consumptionLimit', LIMIT], ['cause', 0]), ENERGY_CONTROL, 1);
        return home;
      },
      async (home) => {
        const id = home.send(INVOKE, command(16, ['zoneId', home.zoneId]));
        const answer = await home.peer.next();
        await world.clock.advance(6000);
        return answer !== undefined && mapOf(answer).get(1) === id && mapOf(answer).get(2) === 0;
      },
      async (home, acknowledged) => {
        await restart();
        const { zones, energy } = world.device.status;
        if (acknowledged === true) expect(zones).toEqual([]);
        if (zones.length === 0) expect(energy).toMatchObject([{ controlState: 0, effectiveConsumptionLimit: null }]);
        else {
          expect(await operates(home.zone, home.deviceId)).toBeDefined();
          expect(world.device.status.energy).toMatchObject([{ effectiveConsumptionLimit: LIMIT }]);
        }
      },
    );
    expect(total).toBeGreaterThan(1);
  });
});
