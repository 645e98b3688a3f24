import fs from 'node:fs';
import { nodeCrypto, nodeKeyPem } from '../../build/src/node/crypto.js';
import { issueController, makeZoneCa } from '../../build/test/world/certificates.js';
import { client, killAll, median, start, stop, temporaryFolder } from './processes.mjs';

const folder = temporaryFolder();
const crypto = nodeCrypto();
const a = makeZoneCa({ crypto, now: Math.floor(Date.now() / 1000) });
const f = issueController(a);
const cert = `-----BEGIN CERTIFICATE-----\n${Buffer.from(f.der).toString('base64')}\n-----END CERTIFICATE-----\n`,
  key = nodeKeyPem(f.key);
fs.writeFileSync(folder + '/floor.json', JSON.stringify({ cert, key, responseSize: 35 }));
const [which, ...extra] = process.argv.slice(2);
const server = await start([...(which === 'floor' ? extra : []), 'scripts/bench/floor-server.mjs', folder + '/floor.json'], (l) =>
  l.startsWith('{"ready"') ? JSON.parse(l).ready : undefined,
);
const device = await start(
  [
    ...(which === 'ours' ? extra : []),
    'bundles/mash-device.mjs',
    '--state',
    folder + '/s',
    '--port',
    '0',
    '--commissioning-port',
    '0',
    '--setup-code',
    '20220211',
    '--open-window',
    '--log-format',
    'json',
    '--log-level',
    process.env.LL ?? 'info',
    '--set',
    'commissioning.coolDown=0',
    'zones.slots=16',
  ],
  (l) => {
    const e = JSON.parse(l);
    return e.message === 'announced' ? e.port : undefined;
  },
);
const done = (
  await client({
    kind: 'commission',
    port: device.value,
    pid: device.child.pid,
    code: '20220211',
    dialects: ['draft'],
    warmUp: { port: server.value, cert, key },
  })
)[0];
for (let i = 0; i < 4; i++) {
  const b = (await client({ kind: 'reconnect', port: server.value, cert, key, runs: 60 })).times.slice(10);
  const o = (
    await client({ kind: 'reconnect', port: device.value, servername: done.deviceId, cert: done.cert, key: done.key, runs: 60 })
  ).times.slice(10);
  console.log(
    'floor',
    median(b.map((t) => t.handshake)).toFixed(2),
    median(b.map((t) => t.answered)).toFixed(2),
    'ours',
    median(o.map((t) => t.handshake)).toFixed(2),
    median(o.map((t) => t.answered)).toFixed(2),
  );
}
if (process.env.READS)
  for (let i = 0; i < 3; i++) {
    const b = await client({ kind: 'read', port: server.value, cert, key, trips: 3000, seconds: 1 });
    const o = await client({
      kind: 'read',
      port: device.value,
      servername: done.deviceId,
      cert: done.cert,
      key: done.key,
      trips: 3000,
      seconds: 1,
    });
    console.log(
      'read floor',
      median(b.roundTrips.slice(1000)).toFixed(4),
      b.perSecond.toFixed(0),
      'ours',
      median(o.roundTrips.slice(1000)).toFixed(4),
      o.perSecond.toFixed(0),
      (o.perSecond / b.perSecond).toFixed(2),
    );
  }
await stop(device);
await stop(server);
killAll();
