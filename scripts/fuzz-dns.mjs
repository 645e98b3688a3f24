/**
 * Mutated packets through the DNS decoder and the name filter, after `npx tsc -b`: node --expose-gc scripts/fuzz-dns.mjs [packets, 10 million by
 * default]. Fails when one ends in anything but a message or PeerError, or when memory has grown after the warm-up: the heap by more than 1 MiB, garbage
 * collected on both sides, or the whole process by more than 32 MiB.
 */
import { readFileSync } from 'node:fs';
import { decodeMessage } from '../build/src/discovery/message.js';
import { mentions, nameHashes } from '../build/src/discovery/peek.js';
import { PeerError } from '../build/src/errors.js';

const total = Number(process.argv[2] ?? 10_000_000);
const recording = JSON.parse(readFileSync(new URL('../test/vectors/reference-mdns.json', import.meta.url), 'utf8'));
const originals = recording.packets.map(({ hex }) => Uint8Array.from(Buffer.from(hex, 'hex')));
const names = nameHashes([['_mash-comm', '_tcp', 'local']]);

let state = 0x2545f491;
function below(bound) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % bound;
}

function memory() {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc, or the heap cannot be told from garbage');
  globalThis.gc();
  return process.memoryUsage();
}

let read = 0;
let refused = 0;
let slowest = 0;
let before = process.memoryUsage();
const began = performance.now();
for (let i = 0; i < total; i++) {
  const original = originals[below(originals.length)];
  const bytes = original.slice(0, below(8) === 0 ? below(original.length + 1) : original.length);
  for (let n = below(6); n >= 0 && bytes.length > 0; n--) bytes[below(bytes.length)] = below(3) === 0 ? 0xc0 | below(4) : below(256);
  const at = performance.now();
  mentions(bytes, names);
  try {
    decodeMessage(bytes);
    read++;
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    refused++;
  }
  slowest = Math.max(slowest, performance.now() - at);
  if (i === Math.min(100_000, total >> 1)) before = memory();
}
const seconds = (performance.now() - began) / 1000;
const after = memory();
const grown = (what) => Math.round(((after[what] - before[what]) / 1024 / 1024) * 100) / 100;
const growth = { heapAfterGc: grown('heapUsed'), process: grown('rss') };
console.log({ packets: total, read, refused, seconds, slowestMs: slowest, growthMiB: growth });
if (growth.heapAfterGc > 1 || growth.process > 32) process.exit(1);
