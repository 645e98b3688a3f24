// The part of the benchmark with several zones: throughput, subscriptions, fan-out, memory. Adds its rows to those of run.mjs.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { client, holder, median, percentile, ROOT, residentMiB, stop } from './processes.mjs';

const ZONES = 5;
const SUBSCRIPTIONS = 50;
const MILLION = 1_000_000;
const SCRIPT = 'zones-client.mjs';

/** `startDevice`, `startFloor`, `writeFloor`, `row`, `floorPem`, `floorKey`, `code`: those of run.mjs. */
export async function zones({ quick, rounds, startDevice, startFloor, writeFloor, row, floorPem, floorKey, code, responseSize }) {
  const trips = quick ? 2000 : 6000;
  const reads = quick ? 30_000 : 200_000;
  const floor = { idle: [], busy: [], one: [], five: [], fanOut: [] };
  const ours = { idle: [], busy: [], hostile: [], one: [], five: [], fanOut: [] };
  const grown = [];
  let frame = 0;
  for (let round = 0; round < rounds; round++) {
    const device = await startDevice();
    let server = await startFloor();
    const toFloor = () => ({ port: server.value, cert: floorPem, key: floorKey });
    const dialects = Array.from({ length: ZONES }, () => 'draft');
    const job = { kind: 'commission', port: device.value, pid: device.child.pid, code, dialects, warmUp: { ...toFloor(), greeted: true } };
    const identities = (await client(job)).map(({ deviceId, cert, key }) => ({ port: device.value, servername: deviceId, cert, key }));
    const [mine, ...others] = identities;
    floor.idle.push(...(await client({ kind: 'trips', floor: toFloor(), trips }, SCRIPT)).slice(500));
    ours.idle.push(...(await client({ kind: 'trips', zones: [mine], trips }, SCRIPT)).slice(500));
    const busy = await holder({ kind: 'busy', zones: others, subscriptions: SUBSCRIPTIONS }, SCRIPT);
    ours.busy.push(...(await client({ kind: 'trips', zones: [mine], trips, subscriptions: SUBSCRIPTIONS }, SCRIPT)).slice(500));
    busy.kill('SIGKILL');
    const hostile = await holder({ kind: 'hostile', zones: others }, SCRIPT);
    ours.hostile.push(...(await client({ kind: 'trips', zones: [mine], trips }, SCRIPT)).slice(500));
    hostile.kill('SIGKILL');
    for (const count of [1, ZONES]) {
      floor[count === 1 ? 'one' : 'five'].push(await client({ kind: 'flood', floor: toFloor(), count, reads }, SCRIPT));
      ours[count === 1 ? 'one' : 'five'].push(await client({ kind: 'flood', zones: identities.slice(0, count), reads }, SCRIPT));
    }
    const told = await client({ kind: 'fanOut', zones: identities, subscriptions: SUBSCRIPTIONS, rounds: quick ? 10 : 40 }, SCRIPT);
    ours.fanOut.push(...told.times.slice(2));
    frame = told.size;
    await stop(server);
    writeFloor(frame, SUBSCRIPTIONS);
    server = await startFloor();
    const bare = { kind: 'fanOut', floor: toFloor(), count: ZONES, subscriptions: SUBSCRIPTIONS, rounds: quick ? 10 : 40 };
    floor.fanOut.push(...(await client(bare, SCRIPT)).times.slice(2));
    await stop(server);
    writeFloor(responseSize);
    if (round === 0) {
      const flood = { kind: 'flood', zones: [mine], reads: MILLION };
      const after = [];
      for (let i = 0; i < 3; i++) {
        await client(flood, SCRIPT);
        after.push(residentMiB(device));
      }
      grown.push(after[1] - after[0], after[2] - after[1]);
    }
    await stop(device);
  }
  row('one idle zone, round trip, p50', median(ours.idle), median(floor.idle), '≤ 1.2');
  row('one idle zone, round trip, p99', percentile(ours.idle, 0.99), percentile(floor.idle, 0.99), '');
  row('five busy zones, 250 subscriptions, p50', median(ours.busy), median(ours.idle), '≤ 1.2 × idle');
  row('five busy zones, 250 subscriptions, p99', percentile(ours.busy, 0.99), percentile(ours.idle, 0.99), '');
  row('beside a zone that floods and reads nothing, p50', median(ours.hostile), median(ours.idle), '≤ 1.2 × idle');
  row('beside a zone that floods and reads nothing, p99', percentile(ours.hostile, 0.99), percentile(ours.idle, 0.99), '');
  row('reads a second, one zone', median(ours.one), median(floor.one), '', '/s');
  row('reads a second, five zones', median(ours.five), median(floor.five), '', '/s');
  row(`SetLimit to the last of 250 notifications, ${frame} B`, median(ours.fanOut), median(floor.fanOut), '');
  row('RSS more after a second 10⁶ reads', grown[0], undefined, '≤ 1', 'MiB');
  row('RSS more after a third', grown[1], undefined, '≤ 1', 'MiB');
  const inside = spawnSync(process.execPath, ['--expose-gc', path.join(ROOT, 'scripts/bench/subscriptions.mjs')], { encoding: 'utf8' });
  const { bytes, microseconds } = JSON.parse(inside.stdout);
  row('100 subscriptions of 100 attributes', bytes / 1e6, undefined, '≤ 0.2 MB', 'MB');
  row('a change, per subscription', microseconds, undefined, '', 'µs');
}
