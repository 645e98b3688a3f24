import { expect, test } from 'vitest';
import { MockFlash } from '../../hal/mock/flash.js';
import { EnergyControlCore } from '../../src/failsafe/energy-control-core.js';
import type { EnergyEvent } from '../../src/failsafe/energy-events.js';
import { Journal } from '../../src/store/journal.js';
import type { ZoneRank } from '../../src/zones/resolution.js';
import { VirtualClock } from '../world/clock.js';
import { SeededEntropy } from '../world/entropy.js';
import { MemoryLog } from '../world/log.js';
import { CONFIG, DEFAULTS, GRID, HOME, RATINGS } from './world.js';

/** s; short, so that few saves lie between entry and end. */
const FAILSAFE = 300;
const [A, F] = [0, 3];
const FULL = FAILSAFE * 1000;
/** Every micro-task: the flash in memory needs no time. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What a boot finds: control state, remainder of the failsafe (ms), 20, 21 of both zones, 70, 3. */
type Found = readonly [number, number | undefined, number | null, number | null, number | null, number, number];

class Device {
  readonly clock = new VirtualClock();
  readonly core: EnergyControlCore;

  private constructor(journal: Journal) {
    const defaults = { ...DEFAULTS, failsafeDuration: FAILSAFE };
    const parts = { config: CONFIG, defaults, ratings: RATINGS, endpoint: 1, zones: [GRID, HOME], clock: this.clock, journal };
    this.core = new EnergyControlCore({ ...parts, log: new MemoryLog() }, { onTarget: () => {}, onChanged: () => {} });
  }

  static async boot(flash: MockFlash): Promise<Device> {
    return new Device(await Journal.open(flash, new MemoryLog()));
  }

  get found(): Found {
    const { core } = this;
    const { failsafe, control } = core.state;
    const remainder = failsafe.name === 'running' ? failsafe.until - this.clock.now() : undefined;
    const read = (id: number, { id: zone }: ZoneRank = GRID) => core.read(id, zone) as number | null;
    return [control, remainder, read(20), read(21), read(21, HOME), read(70) as number, read(3) as number];
  }

  async event(...events: readonly EnergyEvent[]): Promise<void> {
    for (const event of events) this.core.dispatch(event);
    await turn();
  }

  async limit(zone: ZoneRank, value: number, duration = 0): Promise<void> {
    await this.core.execute(zone, { name: 'setLimit', values: [value, undefined], duration, cause: 1 });
  }

  async pass(milliseconds: number): Promise<void> {
    await this.clock.advance(milliseconds, 20);
    await turn();
  }
}

const connect = (zone: ZoneRank): EnergyEvent => ({ type: 'zoneConnected', zone });
const lose = ({ id }: ZoneRank): EnergyEvent => ({ type: 'zoneDisconnected', zoneId: id });
const remove = ({ id }: ZoneRank): EnergyEvent => ({ type: 'zoneRemoved', zoneId: id });

/** A life in steps of one commit at most, and what a boot has to find after each: features.md §1, boot, and §4, restart. */
const LIFE: readonly (readonly [string, (device: Device) => Promise<void>, Found])[] = [
  ['connected', (device) => device.event(connect(GRID), connect(HOME)), [F, FULL, 3_000_000, null, null, 3_000_000, 0]],
  ['a limit', (device) => device.limit(GRID, 1_000_000), [F, FULL, 1_000_000, 1_000_000, null, 3_000_000, 0]],
  ['another', (device) => device.limit(HOME, 500_000), [F, FULL, 500_000, 1_000_000, 500_000, 3_000_000, 0]],
  ['a timed one in its place', (device) => device.limit(HOME, 400_000, 60), [F, FULL, 1_000_000, 1_000_000, null, 3_000_000, 0]],
  ['FAILSAFE', (device) => device.event(lose(HOME), lose(GRID)), [F, FULL, 1_000_000, 1_000_000, null, 3_000_000, 0]],
  ['a minute of it', (device) => device.pass(60_000), [F, 240_000, 1_000_000, 1_000_000, null, 3_000_000, 0]],
  ['half a minute', (device) => device.pass(30_000), [F, 240_000, 1_000_000, 1_000_000, null, 3_000_000, 0]],
  ['back', (device) => device.event(connect(GRID)), [F, FULL, 1_000_000, 1_000_000, null, 3_000_000, 0]],
  ['FAILSAFE again', (device) => device.event(lose(GRID)), [F, FULL, 1_000_000, 1_000_000, null, 3_000_000, 0]],
  ...[240_000, 180_000, 120_000, 60_000].map(
    (left) => [`${left} ms left`, (device: Device) => device.pass(60_000), [F, left, 1_000_000, 1_000_000, null, 3_000_000, 0]] as const,
  ),
  ['over: suspended', (device) => device.pass(60_000), [A, undefined, null, 1_000_000, null, 3_000_000, 0]],
  ['HOME is back, GRID suspended', (device) => device.event(connect(HOME)), [F, FULL, 3_000_000, 1_000_000, null, 3_000_000, 0]],
  ['GRID too', (device) => device.event(connect(GRID)), [F, FULL, 1_000_000, 1_000_000, null, 3_000_000, 0]],
  [
    'failsafe limit and opt-out, written at once',
    (device) =>
      device.core.write(
        GRID,
        new Map([
          [70, 900_000],
          [3, 1],
        ]),
      ),
    [F, FULL, 900_000, 1_000_000, null, 900_000, 1],
  ],
  ['GRID is removed', (device) => device.event(remove(GRID)), [F, FULL, 900_000, null, null, 900_000, 1]],
];

async function cutAt(operation: number, seed: number): Promise<{ step: number; found: Found; cut: boolean }> {
  const entropy = new SeededEntropy(seed);
  const flash = new MockFlash({ sectorSize: 4096, sectorCount: 2, chance: (bound) => entropy.below(bound) });
  let device = await Device.boot(flash);
  flash.cutAt(flash.operations + operation);
  const before = flash.operations;
  let step = -1;
  for (const [, live] of LIFE) {
    step += 1;
    // A command is rejected where the power went; an event has held for the moment that was left.
    await live(device).catch(() => undefined);
    await turn();
    if (flash.operations > before + operation) break;
  }
  const cut = flash.operations > before + operation;
  if (!cut) flash.powerOff();
  device.core.close();
  flash.powerUp();
  device = await Device.boot(flash);
  const { found } = device;
  device.core.close();
  return { step, found, cut };
}

test('power cut at every write of a life: what a boot finds is so before the step or after it, nothing between', async () => {
  const start: Found = [F, FULL, 3_000_000, null, null, 3_000_000, 0];
  const cutIn = new Set<number>();
  let operation = 0;
  for (; ; operation++) {
    for (const seed of [1, 2, 3]) {
      const { step, found, cut } = await cutAt(operation, seed * 1000 + operation);
      const [name, , after] = LIFE[step] as (typeof LIFE)[number];
      if (!cut) {
        expect(found, name).toEqual(after);
        // Every step that writes was cut in.
        expect(cutIn.size).toBeGreaterThanOrEqual(14);
        return;
      }
      cutIn.add(step);
      const before = step === 0 ? start : (LIFE[step - 1] as (typeof LIFE)[number])[2];
      expect([before, after], `${name}, operation ${operation}`).toContainEqual(found);
    }
  }
});
