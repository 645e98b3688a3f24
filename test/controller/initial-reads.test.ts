import { beforeEach, describe, expect, it } from 'vitest';
import { type CborMap, type CborValue, isMap } from '../../src/codec/cbor.js';
import { readInitially, rememberState } from '../../src/controller/initial-reads.js';
import { ControllerSession } from '../../src/controller/session.js';
import type { DeviceRecord } from '../../src/controller/zone.js';
import { settle, VirtualClock } from '../world/clock.js';
import { MemoryLog } from '../world/log.js';
import { FramePeer, streamPair } from '../world/stream-pair.js';

let clock: VirtualClock;
let device: FramePeer;
let session: ControllerSession;
let log: MemoryLog;
beforeEach(() => {
  clock = new VirtualClock();
  const pair = streamPair();
  device = new FramePeer(pair.device);
  session = new ControllerSession(pair.peer, 'draft', clock);
  log = new MemoryLog();
});

const map = (...entries: [number | string, CborValue][]): CborMap => new Map(entries);
const endpoint = (id: number, type: number, ...features: number[]): CborValue => map([1, id], [2, type], [4, features]);
const INFO = map([1, 'PEN1.S'], [3, 'Simulated'], [4, 'S'], [20, [endpoint(0, 0, 1), endpoint(1, 5, 2, 3, 4, 5), endpoint(2, 10, 4)]]);

/** Answers each Read by `answer`: a map of values, a status, or nothing. Tells what was asked. */
async function serve(answer: (endpoint: number, feature: number, time: number) => CborMap | number | undefined): Promise<string[]> {
  const asked: string[] = [];
  for (let quiet = 0; quiet < 3; ) {
    await settle();
    const requests = device.take();
    quiet = requests.length === 0 ? quiet + 1 : 0;
    if (requests.length === 0 && clock.pending().length > 0) await clock.advance(10_000);
    for (const request of requests) {
      if (!isMap(request)) continue;
      const [id, at, feature] = [request.get(1), request.get(3), request.get(4)] as number[];
      const key = `${at}/${feature}`;
      asked.push(key);
      const told = answer(at as number, feature as number, asked.filter((other) => other === key).length);
      if (typeof told === 'number') device.send(map([1, id as number], [2, told]));
      else if (told !== undefined) device.send(map([1, id as number], [2, 0], [3, told]));
    }
  }
  return asked;
}

const VALUES = map([1, 7]);

describe('connection-establishment §7.3: the first reads', () => {
  it('DeviceInfo, then Electrical, EnergyControl, Measurement, Status of every endpoint that has them', async () => {
    const reading = readInitially(session, log);
    const asked = await serve((_endpoint, feature) => (feature === 1 ? INFO : VALUES));
    expect(asked).toEqual(['0/1', '1/3', '1/5', '1/4', '2/4', '1/2']);
    const state = await reading;
    expect(state).toMatchObject({ degraded: false, deviceInfo: INFO });
    expect(state.features.map((found) => `${found.endpoint}/${found.feature}`)).toEqual(['1/3', '1/5', '1/4', '2/4', '1/2']);
    expect(state.endpoints[1]).toEqual({ id: 1, type: 5, label: undefined, features: [2, 3, 4, 5] });
  });

  it.each([1, 2, 3, 10])('status %i, attribute not found: the feature is left out, without a warning', async (status) => {
    const reading = readInitially(session, log);
    await serve((_endpoint, feature) => (feature === 1 ? INFO : feature === 5 ? status : VALUES));
    expect((await reading).features.map(({ feature }) => feature)).toEqual([3, 4, 4, 2]);
    expect(log.lines.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  it('timeout: repeated once, then degraded, and the others are read', async () => {
    const reading = readInitially(session, log);
    const asked = await serve((_endpoint, feature) => (feature === 1 ? INFO : feature === 5 ? undefined : VALUES));
    expect(asked.filter((key) => key === '1/5')).toHaveLength(2);
    expect(await reading).toMatchObject({ degraded: true });
    expect((await reading).features).toHaveLength(4);
  });

  it('timeout: the second attempt counts', async () => {
    const reading = readInitially(session, log);
    await serve((_endpoint, feature, time) => (feature === 1 ? INFO : feature === 5 && time === 1 ? undefined : VALUES));
    expect(await reading).toMatchObject({ degraded: false });
    expect((await reading).features).toHaveLength(5);
  });

  it('permission denied: a warning, and the others are read', async () => {
    const reading = readInitially(session, log);
    await serve((_endpoint, feature) => (feature === 1 ? INFO : feature === 3 ? 8 : VALUES));
    expect((await reading).features).toHaveLength(4);
    expect(log.lines).toMatchObject([{ level: 'warn', message: 'a read was refused' }]);
  });

  it('connection lost: the reads end', async () => {
    const expected = expect(readInitially(session, log)).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    await settle();
    device.stream.destroy();
    await expected;
  });

  it('an unanswered DeviceInfo leaves what was known of the device', async () => {
    const reading = readInitially(session, log);
    await serve(() => undefined);
    const record = { id: 'A', name: 'known', serial: 'S', endpoints: [] } as unknown as DeviceRecord;
    expect(rememberState(record, await reading)).toEqual({ ...record, degraded: true });
  });
});
