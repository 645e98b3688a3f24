import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { nodeCrypto, nodeKeyPem } from '../../build/src/node/crypto.js';
import { issueController, makeZoneCa } from '../../build/test/world/certificates.js';
import { FLAGS, killAll, start, stop, temporaryFolder } from './processes.mjs';

const folder = temporaryFolder();
const crypto = nodeCrypto();
const a = makeZoneCa({ crypto, now: Math.floor(Date.now() / 1000) });
const f = issueController(a);
const cert = `-----BEGIN CERTIFICATE-----\n${Buffer.from(f.der).toString('base64')}\n-----END CERTIFICATE-----\n`,
  key = nodeKeyPem(f.key);
fs.writeFileSync(folder + '/floor.json', JSON.stringify({ cert, key, responseSize: 35 }));
const server = await start(['scripts/bench/floor-server.mjs', folder + '/floor.json'], (l) =>
  l.startsWith('{"ready"') ? JSON.parse(l).ready : undefined,
);
const extra = process.argv.slice(2);
const device = await start(
  [
    ...extra,
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
    '--set',
    'commissioning.coolDown=0',
    'zones.slots=16',
  ],
  (l) => {
    const e = JSON.parse(l);
    return e.message === 'announced' ? e.port : undefined;
  },
);
const child = spawn('node', ['--v8-pool-size=1', 'scripts/bench/tmp-client.mjs'], { stdio: ['pipe', 'pipe', 'inherit'] });
child.stdin.end(
  JSON.stringify({
    kind: 'commission',
    port: device.value,
    pid: device.child.pid,
    code: '20220211',
    dialects: Array.from({ length: 14 }, (_, i) => (i % 2 ? 'reference' : 'draft')),
    warmUp: { port: server.value, cert, key },
  }),
);
let t = '';
for await (const c of child.stdout) t += c;
for (const d of JSON.parse(t))
  console.log(d.whole.toFixed(2), d.issuing.toFixed(2), d.marks.map(([n, v]) => n + ' ' + v.toFixed(2)).join('  '));
await stop(device);
killAll();
