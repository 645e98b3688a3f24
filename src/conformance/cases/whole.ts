import type { BlackBoxCase, ConformanceCase } from '../case.js';
import type { Trial } from '../trial.js';
import { NotApplicable } from '../verdict.js';

const END_TO_END = 'connection-establishment §10, TC-E2E';
const ADDRESSES = 'connection-establishment §10, TC-IPV6';
const INTERFACES = 'connection-establishment 2026-02 §10, TC-MULTIIF';
const NOT_FOUND = 'connection-establishment 2026-02 §7.5, TC-NOTFOUND';
const CONTROLLER = 'the controller decides here, not the device';
const LINKS = "the device's interfaces cannot be changed from outside of it";

function flow(id: string, title: string, more: Partial<BlackBoxCase>, run: (t: Trial) => Promise<string>): BlackBoxCase {
  return { id, title, source: END_TO_END, pics: ['MASH.S.COMM'], dialects: 'each', needs: ['window'], ...more, run };
}

function elsewhere(source: string, reason: string, rows: readonly (readonly [id: string, title: string])[]): readonly ConformanceCase[] {
  return rows.map(([id, title]) => ({ id, title, source, elsewhere: reason }));
}

export const WHOLE: readonly ConformanceCase[] = [
  {
    id: 'TC-IPV6-1',
    title: 'A connection to the link-local address succeeds',
    source: ADDRESSES,
    pics: ['MASH.S.TRANS.IPV6'],
    dialects: 'any',
    needs: ['window'],
    run: async (t) => {
      const { host } = t.bench.target;
      if (!host.toLowerCase().startsWith('fe80:'))
        throw new NotApplicable('the target is no link-local address: fe80::…%eth0 would be one');
      t.step(`handshake with ${host}`);
      t.holds(await t.bench.windowOpen(), 'no commissioning connection is taken');
      return host;
    },
  },
  ...elsewhere(ADDRESSES, CONTROLLER, [
    ['TC-IPV6-2', 'A global address is preferred over link-local'],
    ['TC-IPV6-3', 'An address that changes: reconnection to the new one'],
    ['TC-IPV6-4', 'The interface of a link-local address is the one used'],
  ]),
  ...elsewhere(INTERFACES, LINKS, [
    ['TC-MULTIIF-1', 'AAAA records of all interfaces'],
    ['TC-MULTIIF-2', 'An interface that goes: goodbye, reconnection over the other'],
    ['TC-MULTIIF-3', 'An interface that comes: announced after 2 s'],
    ['TC-MULTIIF-6', 'An interface that flaps within 2 s: nothing is said'],
  ]),
  ...elsewhere(INTERFACES, CONTROLLER, [
    ['TC-MULTIIF-4', 'The first address is unreachable: the next one is tried'],
    ['TC-MULTIIF-5', 'No address answers: "Device unreachable"'],
    ['TC-MULTIIF-7', 'ULA is tried before link-local'],
    ['TC-MULTIIF-8', 'After a short break the last address is tried first'],
    ['TC-MULTIIF-9', 'The last address is gone: resolved anew'],
    ['TC-MULTIIF-10', 'Another device at the first address: the next one is tried'],
  ]),
  ...elsewhere(NOT_FOUND, CONTROLLER, [
    ['TC-NOTFOUND-1', 'No device: "No devices found"'],
    ['TC-NOTFOUND-2', 'Another discriminator: "Discriminator mismatch"'],
    ['TC-NOTFOUND-3', 'SRV without AAAA: "Address unavailable"'],
    ['TC-NOTFOUND-4', 'The port is closed: "Connection failed"'],
    ['TC-NOTFOUND-5', 'The device appears later: found'],
    ['TC-NOTFOUND-6', 'The window is about to end: warning'],
  ]),
  flow('TC-E2E-1', 'First commissioning', {}, async (t) => {
    t.step('commissioning, reconnection, Read');
    const zone = await t.bench.join(t.dialect);
    const model = await zone.peer.read(0, 1, 3);
    return `device ${zone.deviceId}, ${String(model)}`;
  }),
  flow('TC-E2E-2', 'Reconnection by mutual TLS, without PASE', {}, async (t) => {
    const zone = await t.bench.join(t.dialect);
    for (let i = 0; i < 2; i++) {
      t.step(`reconnection ${i + 1}`);
      zone.peer.destroy();
      zone.peer = await t.bench.operational(zone);
      await zone.peer.read(0, 1, 1);
    }
    return 'twice';
  }),
  flow('TC-E2E-3', 'A second zone leaves the first alone', {}, async (t) => {
    const first = await t.bench.join(t.dialect, t.bench.kit(t.bench.kindOf(0)));
    t.step('the second zone, while the first reads');
    await t.bench.openWindow();
    const second = await t.bench.join(t.dialect, t.bench.kit(t.bench.kindOf(1)));
    await first.peer.read(0, 1, 1);
    await second.peer.read(0, 1, 1);
    return `zones ${first.zoneId} and ${second.zoneId}`;
  }),
  flow('TC-E2E-4', 'After a restart the zone reconnects', { needs: ['window', 'restart'], pics: ['MASH.S.CERT.PERSISTENT'] }, async (t) => {
    const zone = await t.bench.join(t.dialect);
    t.step('restart');
    await t.bench.options.restart?.();
    zone.peer.destroy();
    t.step('reconnection');
    zone.peer = await t.bench.operational(zone);
    await zone.peer.read(0, 1, 1);
    return 'served after the restart';
  }),
];
