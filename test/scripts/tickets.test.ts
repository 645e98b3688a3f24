import path from 'node:path';
import { expect, it } from 'vitest';
import { nodeCrypto } from '../../src/node/crypto.js';
import { nodeKeyPem } from '../../src/node/keys.js';
import { createCommissioningCertificate } from '../../src/pki/self-signed.js';
import { ROOT, runNode } from '../world/project.js';

const crypto = nodeCrypto();
const key = crypto.generateKey();
const certificate = createCommissioningCertificate(crypto, { key, discriminator: 1234, now: Date.now() / 1000, validity: 86_400 });

/** One TLS 1.3 connection of a process with itself; it prints how many tickets the server sent. */
const HANDSHAKE = `
  const tls = require('node:tls');
  const [, key, certificate] = process.argv;
  const cert = '-----BEGIN CERTIFICATE-----\\n' + certificate + '\\n-----END CERTIFICATE-----\\n';
  const server = tls.createServer({ key, cert, minVersion: 'TLSv1.3' }, (socket) => socket.end('x'));
  server.listen(0, '127.0.0.1', () => {
    let tickets = 0;
    const socket = tls.connect({ port: server.address().port, host: '127.0.0.1', rejectUnauthorized: false });
    socket.on('session', () => tickets++).resume().on('close', () => server.close(() => console.log(tickets)));
  });`;

function ticketsWith(...flags: readonly string[]): string {
  const { stdout, stderr } = runNode(ROOT, ...flags, '-e', HANDSHAKE, '--', nodeKeyPem(key), Buffer.from(certificate).toString('base64'));
  return (stdout + stderr).trim();
}

it('the configuration that the device starts with ends the two tickets after each handshake', () => {
  expect(ticketsWith()).toBe('2');
  expect(ticketsWith(`--openssl-config=${path.join(ROOT, 'scripts/openssl.cnf')}`)).toBe('0');
});
