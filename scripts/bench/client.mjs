// The measuring client, a process of its own: reads one JSON job on standard input, prints one JSON result. Uses the compiled code in build/.
import { performance } from 'node:perf_hooks';
import { decodeCbor, encodeCbor } from '../../build/src/codec/cbor.js';
import { parseSetupCode } from '../../build/src/crypto/setup-code.js';
import { prepareRegistration, prepareShare, verifierFromSetupCode } from '../../build/src/crypto/spake2plus.js';
import { startProver } from '../../build/src/crypto/spake2plus-prover.js';
import { draftDialect, referenceDialect } from '../../build/src/dialect/dialect.js';
import { nodeCrypto, nodeKeyPem } from '../../build/src/node/crypto.js';
import { createCsr, parseCsr } from '../../build/src/pki/csr.js';
import { deviceIdOfKey } from '../../build/src/pki/identities.js';
import { issueController, issueDeviceCertificate, makeZoneCa } from '../../build/test/world/certificates.js';
import { connect, framed, frameOf, READ } from './link.mjs';

const crypto = nodeCrypto();
const now = () => performance.now();

/**
 * Commissionings one after another, each TCP connect to acknowledgement; `issuing` is the controller's own time for the certificate.
 * The client is warm: only the device's state is measured. Between two the device's button is pressed (SIGUSR1) to open the window again.
 */
async function commission({ port, code, dialects, pid, warmUp }) {
  await warm(code, warmUp);
  const done = [];
  for (const [index, dialect] of dialects.entries()) {
    if (index > 0) {
      process.kill(pid, 'SIGUSR1');
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    // The floor rests as long before its handshake as the device does before its own.
    const floor = (await reconnect({ ...warmUp, runs: 1, greeted: true })).times[0];
    await new Promise((resolve) => setTimeout(resolve, 250));
    done.push({ ...(await commissionOnce({ port, code, dialect, zone: `Bench ${index}` })), floor });
  }
  return done;
}

/** Everything the client does in a commissioning, against a share of its own and against a bare TLS server. */
async function warm(code, { port, cert, key }) {
  const setupCode = parseSetupCode(code);
  const context = crypto.bytes(32);
  const registration = prepareRegistration(crypto, verifierFromSetupCode(crypto, 'draft', setupCode));
  const authority = makeZoneCa({ crypto, now: Math.floor(Date.now() / 1000) });
  for (let i = 0; i < 60; i++) {
    const prover = startProver(crypto, 'draft', setupCode);
    const share = prepareShare(crypto, registration);
    const Y = share.accept(prover.X);
    const keys = prover.finish(Y, context);
    if (!keys.checkDevice(share.finish(context).confirmDevice)) throw new Error('warm-up failed');
    const device = crypto.generateKey();
    const csr = parseCsr(crypto, createCsr(crypto, { key: device, vendorId: 1, productId: 1 }));
    const issued = issueDeviceCertificate(authority, csr.publicKey);
    const message = draftDialect.encode({ type: 'certInstall', certificate: issued.der, zoneCa: authority.der, zoneType: 3, priority: 3 });
    draftDialect.decodeController(decodeCbor(encodeCbor(message)));
  }
  await reconnect({ port, cert, key, runs: 30, greeted: true });
}

async function commissionOnce({ port, code, dialect: name, zone }) {
  const dialect = name === 'draft' ? draftDialect : referenceDialect;
  const authority = makeZoneCa({ zoneName: zone, crypto, now: Math.floor(Date.now() / 1000) });
  // The client's first PASE share is not the device's time.
  const prover = startProver(crypto, name, parseSetupCode(code));
  const began = now();
  const socket = await connect({ port, alpn: 'mash-comm/1' });
  const link = framed(socket);
  const context = name === 'draft' ? new Uint8Array(socket.exportKeyingMaterial(32, 'EXPORTER-MASH-PASE', Buffer.alloc(0))) : undefined;
  const ask = async (message) => {
    link.send(dialect.encode(message));
    return dialect.decodeDevice(decodeCbor(await link.receive()));
  };
  const y = await ask({
    type: 'paseX',
    point: prover.X,
    ...(context ? { context } : { identity: new TextEncoder().encode('mash-controller') }),
  });
  const keys = prover.finish(y.point, context);
  const confirm = await ask({ type: 'paseVerify', verifier: keys.confirmController });
  if (confirm.status !== 0) throw new Error(`PASE: ${JSON.stringify(confirm)}`);
  const csr = await ask({ type: 'csrReq', nonce: crypto.bytes(32), ...(name === 'reference' ? { zoneCa: authority.der } : {}) });
  const issuingBegan = now();
  const { publicKey } = parseCsr(crypto, csr.csr);
  const device = issueDeviceCertificate(authority, publicKey);
  const issuing = now() - issuingBegan;
  const ack = await ask({
    type: 'certInstall',
    certificate: device.der,
    ...(name === 'draft' ? { zoneCa: authority.der, zoneType: 3, priority: 3 } : { sequence: 2 }),
  });
  const whole = now() - began;
  if (ack.type !== 'certAck' || ack.status !== 0) throw new Error(`CERT_ACK: ${JSON.stringify(ack)}`);
  if (name === 'draft') await ask({ type: 'close', reason: 'commissioning_complete' });
  socket.destroy();
  const controller = issueController(authority);
  return { whole, issuing, deviceId: deviceIdOfKey(crypto, publicKey), cert: pem(controller.der), key: nodeKeyPem(controller.key) };
}

function pem(der) {
  return `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----\n`;
}

/** TCP connect to the first answer, `runs` times. */
async function reconnect({ port, servername, cert, key, runs, greeted = false }) {
  const times = [];
  let responseSize = 0;
  for (let i = 0; i < runs; i++) {
    const began = now();
    const socket = await connect({ port, alpn: 'mash/1', servername, cert, key });
    const seen = now() - began;
    const link = framed(socket);
    // A bare server greets when the handshake is done on its side too.
    if (greeted) await link.receive();
    const handshake = now() - began;
    link.send(READ);
    responseSize = (await link.receive()).length;
    times.push({ seen, handshake, answered: now() - began });
    await new Promise((resolve) => socket.end(resolve));
    socket.destroy();
  }
  return { times, responseSize };
}

/** Round trips one after another, then as many a second as come back with sixteen in flight. */
async function read({ port, servername, cert, key, trips, seconds, greeted = false }) {
  const socket = await connect({ port, alpn: 'mash/1', servername, cert, key });
  const link = framed(socket);
  if (greeted) await link.receive();
  const bytes = frameOf(READ);
  const roundTrips = [];
  await new Promise((resolve) => {
    let sentAt = 0;
    let left = trips;
    link.onFrame(() => {
      roundTrips.push(now() - sentAt);
      if (--left === 0) resolve();
      else {
        sentAt = now();
        link.write(bytes);
      }
    });
    sentAt = now();
    link.write(bytes);
  });
  const perSecond = await new Promise((resolve) => {
    let answers = 0;
    const began = now();
    link.onFrame(() => {
      answers++;
      const elapsed = now() - began;
      if (elapsed >= seconds * 1000) resolve((answers / elapsed) * 1000);
      else link.write(bytes);
    });
    for (let i = 0; i < 16; i++) link.write(bytes);
  });
  socket.destroy();
  return { roundTrips, perSecond };
}

/** Stays connected until it is killed, so that the device keeps a zone. */
async function hold({ port, servername, cert, key }) {
  const socket = await connect({ port, alpn: 'mash/1', servername, cert, key });
  const link = framed(socket);
  link.send(READ);
  await link.receive();
  process.stdout.write('held\n');
  await new Promise(() => setInterval(() => link.send(READ), 10_000));
}

const jobs = { commission, reconnect, read, hold };
let input = '';
for await (const chunk of process.stdin) input += chunk;
const job = JSON.parse(input);
const result = await jobs[job.kind](job);
process.stdout.write(JSON.stringify(result));
process.exit(0);
