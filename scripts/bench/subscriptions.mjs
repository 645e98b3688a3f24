// What subscriptions cost, measured inside one process: bytes of the heap for a hundred (a tenth of a thousand:
// the collector's own noise is as large as a hundred), microseconds of a change for each of fifty.
// Run with --expose-gc. Prints {"bytes":…,"microseconds":…}.
import { Subscriptions } from '../../build/src/interaction/subscriptions.js';

const ATTRIBUTES = Array.from({ length: 100 }, (_, i) => i + 1);
const TARGET = { endpoint: 1, feature: 5, read: (id) => id, tells: () => true };
const INTERVALS = { minimum: 1, maximum: 3_600_000 };
let time = 0;
const clock = { now: () => time, wall: () => 0, after: () => ({ cancel: () => {} }) };

function heap() {
  for (let i = 0; i < 5; i++) globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const bytes = [];
for (let round = 0; round < 7; round++) {
  const before = heap();
  const kept = Array.from({ length: 20 }, () => new Subscriptions(clock, 'sinceLast', () => 'sent'));
  for (const subscriptions of kept) for (let i = 0; i < 50; i++) subscriptions.add(TARGET, Uint16Array.from(ATTRIBUTES), INTERVALS);
  bytes.push(heap() - before);
  for (const subscriptions of kept) subscriptions.close();
}

const subscriptions = new Subscriptions(clock, 'sinceLast', () => 'sent');
for (let i = 0; i < 50; i++) subscriptions.add(TARGET, ATTRIBUTES, INTERVALS);
const CHANGES = 20_000;
for (let i = 0; i < 2000; i++) change(i);
const began = process.cpuUsage();
for (let i = 0; i < CHANGES; i++) change(i);
const used = process.cpuUsage(began);

function change(i) {
  time += 10;
  subscriptions.mark(1, 5, [(i % 100) + 1]);
  subscriptions.flush();
}

const sorted = bytes.sort((a, b) => a - b);
process.stdout.write(JSON.stringify({ bytes: sorted[3] / 10, microseconds: (used.user + used.system) / CHANGES / 50 }));
