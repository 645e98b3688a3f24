import { afterEach, describe, expect, it } from 'vitest';
import { ExposedModel } from '../../src/controller/exposed-model.js';
import { openOrCreateZone } from '../../src/controller/open-zone.js';
import { connectDevice } from '../../src/controller/operational.js';
import type { ControllerSession } from '../../src/controller/session.js';
import { SimulatedMeter } from '../../src/controller/simulated-meter.js';
import type { DialectName } from '../../src/dialect/messages.js';
import { PROBE_DELAY, STALE } from '../../src/interaction/grid-meter.js';
import { ControllerWorld } from '../controller/world.js';

const CHARGING_SESSION = 6;
const SET_CHARGING_MODE = 1;
const PV_SURPLUS_ONLY = 1;
const OFF = 0;

let world: ControllerWorld;
let meter: SimulatedMeter;
/** Requests that the controller got. */
let asked: number;
afterEach(() => world.close());

async function start(dialect: DialectName = 'draft', set: Readonly<Record<string, string>> = {}): Promise<void> {
  world = await ControllerWorld.start({ powerStage: true, set: { 'session.liveness': 'tcp', ...set } });
  await world.commission({ dialect, operationalPort: world.device.port });
  meter = new SimulatedMeter('Home Energy', 'A1B2');
  asked = 0;
}

/** The controller connects, and exposes its meter. */
async function connect(): Promise<ControllerSession> {
  const [record] = await world.parts.store.devices();
  if (record === undefined) throw new Error('no device');
  const { zone } = await openOrCreateZone(world.parts, { kind: undefined, name: undefined, priority: undefined, dialect: record.dialect });
  const session = await world.drive(connectDevice(world.parts, zone, record));
  const exposed = new ExposedModel({ model: meter.model, clock: world.device.clock, log: world.device.log });
  exposed.attach(session, record.id);
  return session;
}

const mode = (session: ControllerSession, value: number) =>
  session.invoke(1, CHARGING_SESSION, SET_CHARGING_MODE, new Map([['mode', value]]));
const drawn = (): number | undefined => world.device.device.status.power;
const shows = (power: number, what: string): Promise<void> => world.device.until(() => drawn() === power, what);
const subscribed = (): Promise<void> =>
  world.device.until(() => world.device.log.lines.some(({ message }) => message === 'grid meter followed'), 'the subscription');

describe('both directions over TLS: PV surplus charging by the meter that the controller exposes', () => {
  it('the charger takes what the house feeds in, its own draw included, and nothing where the meter falls silent', async () => {
    await start();
    const session = await connect();
    meter.power = -6_900_000;
    await mode(session, PV_SURPLUS_ONLY);
    expect(drawn()).toBe(0);
    await world.device.clock.advance(PROBE_DELAY);
    await subscribed();
    await shows(6_900_000, 'the surplus');
    // What it draws shows at the meter now: the same surplus.
    await world.device.clock.advance(1000);
    meter.power = 0;
    await world.device.clock.advance(1000);
    await world.device.clock.advance(1000);
    await shows(6_900_000, 'the same surplus');
    // A cloud: 2.07 kW are drawn from the grid.
    meter.power = 2_070_000;
    await world.device.clock.advance(1000);
    await shows(4_830_000, 'what the cloud leaves');
    // The device's requests never stand in the way of the controller's.
    expect((await session.read(0, 1, [32])).get(32)).toBe(1);
    session.destroy('the controller crashes');
    await shows(0, 'no surplus');
  });

  it('is done again at a reconnection', async () => {
    await start();
    const first = await connect();
    meter.power = -5_520_000;
    await mode(first, PV_SURPLUS_ONLY);
    await world.device.clock.advance(PROBE_DELAY);
    await shows(5_520_000, 'the surplus');
    first.destroy('gone');
    await shows(0, 'no surplus');
    const second = await connect();
    // Only an answer tells that the device has accepted the connection.
    await second.read(0, 1, [32]);
    await world.device.clock.advance(PROBE_DELAY);
    await shows(5_520_000, 'the surplus again');
    await mode(second, OFF);
    expect(drawn()).toBe(11_040_000);
    // Nobody wants the meter now: no heartbeat is missed.
    await world.device.clock.advance(STALE);
    expect(drawn()).toBe(11_040_000);
  });

  it.each<[string, DialectName, Readonly<Record<string, string>>, number]>([
    ['no mode wants it', 'draft', {}, OFF],
    ['it is switched off', 'draft', { 'meter.read': 'off' }, PV_SURPLUS_ONLY],
    ['the zone is of the reference dialect', 'reference', {}, PV_SURPLUS_ONLY],
  ])('nothing is asked where %s', async (_what, dialect, set, value) => {
    await start(dialect, set);
    const session = await connect();
    session.serve({
      onRequest: () => {
        asked += 1;
      },
      onDrain: () => {},
      onClose: () => {},
    });
    meter.power = -5_520_000;
    await mode(session, value);
    await world.device.clock.advance(60_000);
    await session.read(0, 1, [32]);
    expect(asked).toBe(0);
    expect(drawn()).toBe(value === OFF ? 11_040_000 : 0);
  });
});
