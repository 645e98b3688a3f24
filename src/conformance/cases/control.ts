import type { CborValue } from '../../codec/cbor.js';
import { ControllerError } from '../../controller/errors.js';
import type { ZoneOnDevice } from '../bench.js';
import type { BlackBoxCase } from '../case.js';
import type { Trial } from '../trial.js';
import { NotApplicable, Refuted } from '../verdict.js';

const [ENERGY_CONTROL, TEST_CONTROL] = [5, 0x0a];
const [CONTROL_STATE, EFFECTIVE, MINE] = [2, 20, 21];
const [SET_LIMIT, CLEAR_LIMIT] = [1, 2];
const FAILSAFE = 3;
/** Of a zone that steers itself, neither of the grid nor of protection. */
const CAUSE = 3;
/** How soon the loss of the last connection shows, ms. */
const SOON = 2000;
const [UPPER, LOWER] = [5_000_000, 4_000_000];

async function endpointOf(t: Trial, { peer }: ZoneOnDevice): Promise<number> {
  const endpoints = await peer.read(0, 1, 20);
  for (const entry of Array.isArray(endpoints) ? endpoints : []) {
    if (!(entry instanceof Map)) continue;
    const [id, features] = [entry.get(1), entry.get(4)];
    if (typeof id === 'number' && Array.isArray(features) && features.includes(ENERGY_CONTROL)) return id;
  }
  t.step('DeviceInfo.endpoints without EnergyControl');
  throw new NotApplicable('no endpoint of the device has EnergyControl');
}

async function setLimit({ peer }: ZoneOnDevice, endpoint: number, consumptionLimit: number): Promise<void> {
  const { status, payload } = await peer.invoke(endpoint, ENERGY_CONTROL, SET_LIMIT, { consumptionLimit, cause: CAUSE });
  if (status !== 0 || payload.get('applied') !== true) throw new Refuted(`SetLimit ${consumptionLimit} mW: status ${status}, not applied`);
}

function control(
  id: string,
  title: string,
  source: string,
  more: Pick<BlackBoxCase, 'needs' | 'dialects'>,
  run: BlackBoxCase['run'],
): BlackBoxCase {
  return { id, title, source, pics: ['MASH.S.FAILSAFE'], ...more, run };
}

/** Reads until the value is there, or the time is over; the last value read. */
async function settles(t: Trial, read: () => Promise<CborValue | undefined>, due: CborValue): Promise<CborValue | undefined> {
  const until = t.bench.clock.now() + SOON;
  for (;;) {
    const value = await read();
    if (value === due || t.bench.clock.now() >= until) return value;
    await t.sleep(100);
  }
}

export const CONTROL: readonly BlackBoxCase[] = [
  control(
    'TC-LIMIT-CLEAR',
    'A limit holds from SetLimit to ClearLimit',
    'features.md §1',
    { needs: ['window'], dialects: 'each' },
    async (t) => {
      const zone = await t.bench.join(t.dialect);
      const endpoint = await endpointOf(t, zone);
      t.step(`SetLimit ${UPPER} mW`);
      await setLimit(zone, endpoint, UPPER);
      t.equal(await zone.peer.read(endpoint, ENERGY_CONTROL, EFFECTIVE), UPPER, 'effectiveConsumptionLimit');
      t.step('ClearLimit');
      t.equal((await zone.peer.invoke(endpoint, ENERGY_CONTROL, CLEAR_LIMIT)).status, 0, 'status of ClearLimit');
      t.equal(await zone.peer.read(endpoint, ENERGY_CONTROL, MINE), null, 'myConsumptionLimit');
      t.equal(await zone.peer.read(endpoint, ENERGY_CONTROL, EFFECTIVE), null, 'effectiveConsumptionLimit');
      return `${UPPER} mW, then none`;
    },
  ),
  control(
    'TC-LIMIT-ZONES',
    'The smaller limit wins, and ends with its zone',
    'features.md §1',
    { needs: ['window'], dialects: 'each' },
    async (t) => {
      const first = await t.bench.join(t.dialect, t.bench.kit(t.bench.kindOf(0)));
      await t.bench.openWindow();
      const second = await t.bench.join(t.dialect, t.bench.kit(t.bench.kindOf(1)));
      const endpoint = await endpointOf(t, first);
      t.step(`${UPPER} mW by the first zone, ${LOWER} mW by the second`);
      await setLimit(first, endpoint, UPPER);
      await setLimit(second, endpoint, LOWER);
      t.equal(await first.peer.read(endpoint, ENERGY_CONTROL, EFFECTIVE), LOWER, 'effectiveConsumptionLimit');
      t.step('the second zone is removed');
      await t.bench.remove(second);
      const effective = (): Promise<CborValue | undefined> => first.peer.read(endpoint, ENERGY_CONTROL, EFFECTIVE);
      t.equal(await settles(t, effective, UPPER), UPPER, 'effectiveConsumptionLimit after it');
      return `${LOWER} mW, then ${UPPER} mW`;
    },
  ),
  control(
    'TC-LIMIT-KEPT',
    'A limit without a duration outlives its connection',
    'protocol.md §4',
    { needs: ['window'], dialects: 'each' },
    async (t) => {
      const zone = await t.bench.join(t.dialect);
      const endpoint = await endpointOf(t, zone);
      await setLimit(zone, endpoint, UPPER);
      t.step('the connection is cut and made again');
      zone.peer.destroy();
      await t.sleep(200);
      zone.peer = await t.bench.operational(zone);
      t.equal(await zone.peer.read(endpoint, ENERGY_CONTROL, EFFECTIVE), UPPER, 'effectiveConsumptionLimit');
      return `${UPPER} mW after reconnection`;
    },
  ),
  control(
    'TC-FAILSAFE-ENTRY',
    'The last connection lost is failsafe at once; the zone back ends it',
    'protocol.md §4',
    { needs: ['window', 'enableKey'], dialects: 'any' },
    async (t) => {
      const observer = t.bench.testZone;
      if (observer === undefined) throw new NotApplicable('a TEST zone has to look on');
      const zone = await t.bench.join(t.dialect);
      const endpoint = await endpointOf(t, zone);
      const state = (): Promise<CborValue | undefined> => observer.read(endpoint, ENERGY_CONTROL, CONTROL_STATE);
      t.holds((await state()) !== FAILSAFE, 'failsafe while a zone is connected');
      t.step('the connection is cut');
      zone.peer.destroy();
      t.equal(await settles(t, state, FAILSAFE), FAILSAFE, `controlState within ${SOON / 1000} s`);
      t.step('the zone is back');
      zone.peer = await t.bench.operational(zone);
      await zone.peer.read(0, 1, 1);
      t.holds((await state()) !== FAILSAFE, 'still failsafe after the zone is back');
      return 'FAILSAFE, and left again';
    },
  ),
  control(
    'TC-TESTCTRL-ZONE-001',
    'Test commands are for TEST zones, whatever the key; then for the right key',
    'reference-behaviour §3.1',
    { needs: ['window', 'enableKey'], dialects: 'each' },
    async (t) => {
      const zone = await t.bench.join(t.dialect);
      for (const [command, parameters] of [
        [1, { eventTrigger: 2 ** 48 + 4 }],
        [2, { durationSeconds: 10 }],
        [3, {}],
      ] as const) {
        t.step(`command ${command} by a zone that is no TEST zone`);
        const { status } = await zone.peer.invoke(0, TEST_CONTROL, command, { enableKey: 'bogus', ...parameters });
        t.equal(status, 8, `status of command ${command}`);
      }
      t.step('a wrong key by the TEST zone');
      const refused = await t.bench.testZone?.invoke(3, {}, 'bogus').catch((error: unknown) => error);
      t.holds(refused instanceof ControllerError && refused.code === 'REFUSED', 'a wrong key is obeyed');
      return '8 for each; a wrong key refused';
    },
  ),
];
