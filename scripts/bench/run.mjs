// `npm run bench`: prints figures of the device beside floors measured in the same run, interleaved. Ratios count; it fails nothing.
// `npm run bench -- --quick` does fewer runs, `npm run bench -- zones` one part.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { nodeCrypto, nodeKeyPem } from '../../build/src/node/crypto.js';
import { issueController, makeZoneCa } from '../../build/test/world/certificates.js';
import { client, FLAGS, holder, killAll, median, percentile, ROOT, residentMiB, start, stop, temporaryFolder } from './processes.mjs';
import { zones } from './zones.mjs';

const PARTS = ['starts', 'memory', 'spake', 'connections', 'zones'];
const unknown = process.argv.slice(2).find((arg) => arg !== '--quick' && !PARTS.includes(arg));
if (unknown !== undefined) {
  process.stderr.write(`bench: there is no '${unknown}': --quick, ${PARTS.join(', ')}\n`);
  process.exit(2);
}
const quick = process.argv.includes('--quick');
const STARTS = quick ? 5 : 15;
const ROUNDS = quick ? 2 : 5;
const CODE = '20220211';
/** Bytes of the response to the Read of DeviceInfo (0, 1) that is measured: the floor answers with as many. */
const RESPONSE_SIZE = 35;
const folder = temporaryFolder();
const crypto = nodeCrypto();
const authority = makeZoneCa({ crypto, now: Math.floor(Date.now() / 1000) });
const floorIdentity = issueController(authority);
const floorFile = path.join(folder, 'floor.json');
const floorPem = `-----BEGIN CERTIFICATE-----\n${Buffer.from(floorIdentity.der).toString('base64')}\n-----END CERTIFICATE-----\n`;
const floorKey = nodeKeyPem(floorIdentity.key);

function writeFloor(responseSize, fanOut = 0) {
  fs.writeFileSync(floorFile, JSON.stringify({ cert: floorPem, key: floorKey, responseSize, fanOut }));
}
writeFloor(RESPONSE_SIZE);

const startFloor = () =>
  start([path.join(ROOT, 'scripts/bench/floor-server.mjs'), floorFile], (line) =>
    line.startsWith('{"ready"') ? JSON.parse(line).ready : undefined,
  );

let states = 0;
function startDevice(state = path.join(folder, `state-${states++}`)) {
  const set = ['commissioning.coolDown=0', 'zones.slots=16'];
  const args = [
    '--state',
    state,
    '--port',
    '0',
    '--commissioning-port',
    '0',
    '--setup-code',
    CODE,
    '--open-window',
    '--log-format',
    'json',
    '--set',
    ...set,
  ];
  return start([path.join(ROOT, 'bundles/mash-device.start.cjs'), ...args], (line) => {
    const entry = JSON.parse(line);
    return entry.message === 'started' ? entry.port : undefined;
  });
}

const rows = [];
function row(figure, ours, floor, target, unit = 'ms') {
  const show = (value) => (value === undefined ? '' : typeof value === 'string' ? value : value.toFixed(value < 10 ? 3 : 1));
  const ratio = typeof ours === 'number' && typeof floor === 'number' ? (ours / floor).toFixed(2) : '';
  rows.push([figure, `${show(ours)} ${unit}`, floor === undefined ? '' : `${show(floor)} ${unit}`, ratio, target]);
}

async function starts() {
  const bare = [];
  const floor = [];
  const ours = [];
  const memory = { floor: [], ours: [] };
  for (let i = 0; i < STARTS; i++) {
    const began = performance.now();
    spawnSync(process.execPath, ['-e', '0']);
    bare.push(performance.now() - began);
    const server = await startFloor();
    floor.push(server.milliseconds);
    const device = await startDevice();
    ours.push(device.milliseconds);
    await new Promise((resolve) => setTimeout(resolve, 300));
    memory.floor.push(residentMiB(server));
    memory.ours.push(residentMiB(device));
    await stop(server);
    await stop(device);
  }
  row('bare node -e 0', median(bare), undefined, '');
  row('start to accepting and probing, p50', median(ours), median(floor), '≤ 1.6');
  row('start to accepting and probing, p99', percentile(ours, 0.99), percentile(floor, 0.99), '');
  row('RSS idle, window open', median(memory.ours), median(memory.floor), '≤ 1.2', 'MiB');
}

/** Resident memory with one zone, right after its commissioning and after a restart, one connection each; the floor served as many handshakes. */
async function oneZone() {
  const floor = [];
  const fresh = [];
  const ours = [];
  for (let round = 0; round < ROUNDS; round++) {
    const server = await startFloor();
    const state = path.join(folder, `zone-${round}`);
    const device = await startDevice(state);
    const toFloor = { port: server.value, cert: floorPem, key: floorKey, greeted: true };
    const job = { kind: 'commission', port: device.value, pid: device.child.pid, code: CODE, dialects: ['draft'], warmUp: toFloor };
    const [zone] = await client(job);
    const connection = { kind: 'reconnect', servername: zone.deviceId, cert: zone.cert, key: zone.key, runs: 1 };
    await client({ ...connection, port: device.value });
    floor.push(residentMiB(server));
    fresh.push(residentMiB(device));
    await stop(server);
    await stop(device);
    const again = await startDevice(state);
    await client({ ...connection, port: again.value });
    ours.push(residentMiB(again));
    await stop(again);
  }
  row('RSS with one zone', median(ours), median(floor), '≤ 1.2', 'MiB');
  row('  right after its commissioning', median(fresh), median(floor), '', 'MiB');
}

async function connections() {
  const floor = { seen: [], handshake: [], rested: [], trips: [], perSecond: [], echo: [] };
  const ours = { commission: { draft: [], reference: [] }, first: [], issuing: [], alone: [], answered: [], trips: [], perSecond: [] };
  const memory = { floor: [], ours: [] };
  for (let round = 0; round < ROUNDS; round++) {
    const device = await startDevice();
    const server = await startFloor();
    const toFloor = { port: server.value, cert: floorPem, key: floorKey, greeted: true };
    const dialects = Array.from({ length: 14 }, (_, i) => (i % 2 === 0 ? 'draft' : 'reference'));
    const done = await client({ kind: 'commission', port: device.value, pid: device.child.pid, code: CODE, dialects, warmUp: toFloor });
    for (const one of done) one.whole -= one.issuing;
    ours.first.push(done[0].whole);
    for (const [i, one] of done.slice(1).entries()) ours.commission[dialects[i + 1]].push(one.whole);
    ours.issuing.push(...done.map((one) => one.issuing));
    floor.rested.push(...done.slice(1).map((one) => one.floor.handshake));
    const zone = done.at(-1);
    const identity = { port: device.value, servername: zone.deviceId, cert: zone.cert, key: zone.key };
    const probe = await client({ kind: 'reconnect', ...identity, runs: 1 });
    if (probe.responseSize !== RESPONSE_SIZE) throw new Error(`the response has ${probe.responseSize} bytes: set RESPONSE_SIZE`);
    const alone = await client({ kind: 'reconnect', ...identity, runs: 40 });
    ours.alone.push(...alone.times.slice(5).map((time) => time.answered));
    const other = await holder({ port: device.value, servername: done[0].deviceId, cert: done[0].cert, key: done[0].key });
    for (let i = 0; i < 2; i++) {
      const bare = await client({ kind: 'reconnect', ...toFloor, runs: 40 });
      floor.handshake.push(...bare.times.slice(5).map((time) => time.handshake));
      floor.seen.push(...bare.times.slice(5).map((time) => time.seen));
      floor.echo.push(...bare.times.slice(5).map((time) => time.answered));
      ours.answered.push(...(await client({ kind: 'reconnect', ...identity, runs: 40 })).times.slice(5).map((time) => time.answered));
      const trips = { kind: 'read', trips: 3000, seconds: quick ? 0.5 : 1.5 };
      const echo = await client({ ...trips, ...toFloor });
      floor.trips.push(...echo.roundTrips.slice(1000));
      floor.perSecond.push(echo.perSecond);
      const reads = await client({ ...trips, ...identity });
      ours.trips.push(...reads.roundTrips.slice(1000));
      ours.perSecond.push(reads.perSecond);
    }
    other.kill('SIGKILL');
    memory.floor.push(residentMiB(server));
    memory.ours.push(residentMiB(device));
    await stop(server);
    await stop(device);
  }
  const handshake = median(floor.handshake);
  const rested = median(floor.rested);
  row('commissioning, draft, p50', median(ours.commission.draft), rested, '≤ 3');
  row('commissioning, draft, p99', percentile(ours.commission.draft, 0.99), percentile(floor.rested, 0.99), '');
  row('commissioning, reference, p50', median(ours.commission.reference), rested, '≤ 3');
  row('commissioning, reference, p99', percentile(ours.commission.reference, 0.99), percentile(floor.rested, 0.99), '');
  row('commissioning, first of a process', median(ours.first), rested, '');
  row('  the controller issuing, not in it', median(ours.issuing), undefined, '');
  row('reconnection to first answer, p50', median(ours.answered), handshake, '≤ 1.3');
  row('  of the only zone, out of failsafe', median(ours.alone), handshake, '');
  row('  the handshake as its client sees it', median(ours.answered), median(floor.seen), '');
  row('  the floor to its first answer', median(ours.answered), median(floor.echo), '');
  row('reconnection to first answer, p99', percentile(ours.answered, 0.99), percentile(floor.handshake, 0.99), '');
  row('read round trip, p50', median(ours.trips), median(floor.trips), '≤ 1.2');
  row('read round trip, p99', percentile(ours.trips, 0.99), percentile(floor.trips, 0.99), '');
  row('reads a second, 16 in flight', median(ours.perSecond), median(floor.perSecond), '≥ 0.8', '/s');
  row('RSS after zones and reads', median(memory.ours), median(memory.floor), '', 'MiB');
}

async function spake() {
  const first = [];
  const warm = [];
  for (let i = 0; i < (quick ? 3 : 7); i++) {
    const child = spawnSync(process.execPath, [...FLAGS, path.join(ROOT, 'scripts/bench/spake2plus.mjs')], { encoding: 'utf8' });
    const result = JSON.parse(child.stdout);
    first.push(result.first);
    warm.push(result.warm);
  }
  row('SPAKE2+ device side, first', median(first), undefined, '≤ 4 ms');
  row('SPAKE2+ device side, warm', median(warm), undefined, '≤ 0.8 ms');
}

/** All parts, or those that are named. */
const parts = {
  starts,
  memory: oneZone,
  spake,
  connections,
  zones: () =>
    zones({ quick, rounds: ROUNDS, startDevice, startFloor, writeFloor, row, floorPem, floorKey, code: CODE, responseSize: RESPONSE_SIZE }),
};

try {
  const named = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
  for (const [name, part] of Object.entries(parts)) if (named.length === 0 || named.includes(name)) await part();
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...rows.map((cells) => cells[column].length), 8));
  const print = (cells) =>
    console.log(
      cells
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    );
  print(['figure', 'ours', 'floor', 'ratio', 'to reach']);
  for (const cells of rows) print(cells);
} finally {
  killAll();
  fs.rmSync(folder, { recursive: true, force: true });
}
