import { beforeEach, describe, expect, it } from 'vitest';
import type { CborKey, CborMap, CborValue } from '../../src/codec/cbor.js';
import { ExposedModel } from '../../src/controller/exposed-model.js';
import { ControllerSession } from '../../src/controller/session.js';
import { SimulatedMeter } from '../../src/controller/simulated-meter.js';
import { settle, VirtualClock } from '../world/clock.js';
import { MemoryLog } from '../world/log.js';
import { FramePeer, streamPair } from '../world/stream-pair.js';

let clock: VirtualClock;
let device: FramePeer;
let session: ControllerSession;
let meter: SimulatedMeter;
let exposed: ExposedModel;
beforeEach(() => {
  clock = new VirtualClock();
  const pair = streamPair();
  device = new FramePeer(pair.device);
  session = new ControllerSession(pair.peer, 'draft', clock);
  meter = new SimulatedMeter('Home Energy', 'A1B2');
  meter.power = -3000;
  exposed = new ExposedModel({ model: meter.model, clock, log: new MemoryLog() });
  exposed.attach(session, 'D1');
});

const map = (...entries: [CborKey, CborValue][]): CborMap => new Map(entries);
async function ask(operation: number, endpoint: number, feature: number, payload: CborValue = null): Promise<CborMap> {
  device.send(map([1, 1000], [2, operation], [3, endpoint], [4, feature], [5, payload]));
  await settle();
  const [answer] = device.take();
  return answer as CborMap;
}

describe('what a controller exposes', () => {
  it('tells its structure, and its meter: whole at the sum of its phases', async () => {
    const info = (await ask(1, 0, 1, [20])).get(3);
    expect(info).toEqual(map([20, [map([1, 0], [2, 0], [4, [1]]), map([1, 1], [2, 1], [3, 'Grid meter'], [4, [3, 4]])]]));
    meter.power = -3001;
    expect((await ask(1, 1, 4, [1, 10])).get(3)).toEqual(map([1, -3001], [10, map([0, -1001], [1, -1000], [2, -1000])]));
    meter.power = undefined;
    expect((await ask(1, 1, 4, [1])).get(3)).toEqual(map([1, null]));
  });

  it.each<[string, number, number, number, CborValue, number]>([
    ['an endpoint that is none', 1, 9, 1, null, 1],
    ['a feature that is none', 1, 1, 9, null, 2],
    ['an attribute that is none', 1, 1, 4, [99], 3],
    ['a write of what is read only', 2, 1, 4, map([1, 5]), 6],
    ['a write of its label', 2, 0, 1, map([31, 'x']), 8],
    ['RemoveZone', 4, 0, 1, map([1, 16], [2, map(['zoneId', 'A1B2C3D4E5F60718'])]), 8],
    ['an operation that is none', 9, 0, 1, null, 10],
  ])('answers %s like a device', async (_name, operation, endpoint, feature, payload, status) => {
    expect((await ask(operation, endpoint, feature, payload)).get(2)).toBe(status);
  });

  it('notifies a subscriber of each change, until the session ends', async () => {
    const answer = (await ask(3, 1, 4, map([1, [1]], [2, 1000], [3, 60_000]))).get(3);
    expect(answer).toEqual(map([1, 1], [2, map([1, -3000])]));
    await clock.advance(5000);
    meter.power = 12;
    await clock.advance(1000);
    expect(device.take()).toEqual([map([1, 0], [2, 1], [3, 1], [4, 4], [5, map([1, 12])])]);
    device.stream.destroy();
    await settle();
    meter.power = 13;
    expect(clock.pending()).toEqual([]);
  });

  it('tells nothing once it is closed', async () => {
    await ask(3, 1, 4, map([1, [1]]));
    exposed.close();
    meter.power = 12;
    await clock.advance(600_000);
    expect(device.take()).toEqual([]);
  });

  it('answers requests beside those of its own, whose ids are the same', async () => {
    const read = session.read(0, 1);
    await settle();
    expect(device.take()).toHaveLength(1);
    expect((await ask(1, 1, 4, [1])).get(3)).toEqual(map([1, -3000]));
    device.send(map([1, 1000], [2, 0], [3, map([4, 'SIM'])]));
    expect(await read).toEqual(map([4, 'SIM']));
  });

  it('is served to no session that has ended already', async () => {
    device.stream.destroy();
    await settle();
    exposed.attach(session, 'D1');
    meter.power = 12;
    expect(clock.pending()).toEqual([]);
  });
});
