// The floor: what any Node program pays that listens with mutual TLS 1.3 and announces itself with one DNS-SD packet.
// Answers every frame with one of a given size; where `fanOut` is given, with so many to every connection. Prints {"ready":port} when it listens and the packet has left.

import { constants } from 'node:crypto';
import dgram from 'node:dgram';
import fs from 'node:fs';
import os from 'node:os';
import tls from 'node:tls';

const { cert, key, responseSize, fanOut = 0 } = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const response = Buffer.alloc(4 + responseSize, 0x20);
response.writeUInt32BE(responseSize);

const sockets = new Set();

function answer(socket) {
  if (fanOut === 0) socket.write(response);
  else for (const each of sockets) for (let i = 0; i < fanOut; i++) each.write(response);
}

const server = tls.createServer(
  {
    cert,
    key,
    ca: [],
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.3',
    ciphers: 'TLS_AES_128_GCM_SHA256',
    ALPNProtocols: ['mash/1'],
    noDelay: true,
    secureOptions: constants.SSL_OP_NO_TICKET,
  },
  (socket) => {
    // The handshake is done on both sides: the client learns it here.
    socket.write(response);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    let held = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      while (held.length >= 4 && held.length >= 4 + held.readUInt32BE(0)) {
        held = held.subarray(4 + held.readUInt32BE(0));
        answer(socket);
      }
    });
  },
);
server.listen(0, '::', () => {
  const socket = dgram.createSocket('udp6');
  const interfaces = Object.entries(os.networkInterfaces()).filter(([, list]) => list?.some((a) => !a.internal && a.family === 'IPv6'));
  const target = interfaces[0] === undefined ? '::1' : `ff02::fb%${interfaces[0][0]}`;
  // _mash._tcp.local PTR floor._mash._tcp.local
  const packet = Buffer.from('000084000000000100000000055f6d617368045f746370056c6f63616c00000c000100001194000805666c6f6f72c00c', 'hex');
  socket.send(packet, 5353, target, () => process.stdout.write(`${JSON.stringify({ ready: server.address().port })}\n`));
});
process.on('SIGTERM', () => process.exit(0));
