// Connections of the measuring clients: TLS, frames, the Read that is measured. Uses the compiled code in build/.
import tls from 'node:tls';
import { encodeCbor } from '../../build/src/codec/cbor.js';
import { FrameReader } from '../../build/src/codec/frame.js';

/** The Read of DeviceInfo (0, 1) that is measured. */
export const READ = new Map([
  [1, 7],
  [2, 1],
  [3, 0],
  [4, 1],
  [5, [1]],
]);

/** A mutual TLS 1.3 connection, handshake done on this side. */
export function connect({ port, alpn, servername, cert, key }) {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({
      host: '::1',
      port,
      ALPNProtocols: [alpn],
      servername: servername ?? '',
      cert,
      key,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
    });
    socket.setNoDelay(true);
    socket.once('secureConnect', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** A CBOR value as one frame. */
export function frameOf(value) {
  const bytes = encodeCbor(value, 4);
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, bytes.length - 4);
  return bytes;
}

/** Frames over a socket: sent as values, received one by one or by a listener. */
export function framed(socket) {
  const reader = new FrameReader(1 << 20);
  const waiting = [];
  const frames = [];
  socket.on('error', () => {});
  socket.on('data', (chunk) =>
    reader.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length), (payload) => {
      const next = waiting.shift();
      if (next === undefined) frames.push(Uint8Array.from(payload));
      else next(Uint8Array.from(payload));
    }),
  );
  return {
    send(value) {
      socket.write(frameOf(value));
    },
    write: (bytes) => socket.write(bytes),
    receive: () => (frames.length > 0 ? Promise.resolve(frames.shift()) : new Promise((resolve) => waiting.push(resolve))),
    onFrame(listener) {
      socket.removeAllListeners('data');
      socket.on('data', (chunk) => reader.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length), listener));
    },
  };
}
