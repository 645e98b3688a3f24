// The measuring client of several zones at once, a process of its own: reads one JSON job on standard input, prints one JSON result.
import { performance } from 'node:perf_hooks';
import { decodeCbor } from '../../build/src/codec/cbor.js';
import { connect, framed, frameOf, READ } from './link.mjs';

const now = () => performance.now();
const ENERGY_CONTROL = 5;
const SUBSCRIBE = 3;
const INVOKE = 4;
/** Each busy zone reads once in so many milliseconds. */
const BUSY_INTERVAL = 10;

/** Connections of zones, or `count` to the floor, which greets. */
async function open({ zones, floor, count }) {
  const links = [];
  for (const identity of floor === undefined ? zones : Array.from({ length: count }, () => floor)) {
    const socket = await connect({ ...identity, alpn: 'mash/1' });
    const link = framed(socket);
    if (floor === undefined) link.send(READ);
    await link.receive();
    links.push({ ...link, socket });
  }
  return links;
}

/** `count` subscriptions of all of EnergyControl on endpoint 1, at most one frame a millisecond each. */
async function subscribe(link, count) {
  for (let id = 1; id <= count; id++) {
    link.send(
      request(
        id,
        SUBSCRIBE,
        new Map([
          [2, 1],
          [3, 3_600_000],
        ]),
      ),
    );
    const answer = decodeCbor(await link.receive());
    if (answer.get(2) !== 0) throw new Error(`subscription ${id}: status ${answer.get(2)}`);
  }
}

function request(id, operation, payload) {
  return new Map([
    [1, id],
    [2, operation],
    [3, 1],
    [4, ENERGY_CONTROL],
    [5, payload],
  ]);
}

/** Zones that are busy until this process is killed: subscriptions, and a Read each 10 ms. */
async function busy({ zones, subscriptions }) {
  const links = await open({ zones });
  for (const [index, link] of links.entries()) {
    await subscribe(link, subscriptions);
    link.onFrame(() => {});
    setTimeout(() => setInterval(() => link.send(READ), BUSY_INTERVAL), (index * BUSY_INTERVAL) / links.length);
  }
  process.stdout.write('held\n');
  await new Promise(() => {});
}

/**
 * A zone that asks ten thousand times without reading, subscribes without end, and comes back when it is closed, until this process is killed. It
 * rests between two rounds, as long as a round takes: the machine's second core is the measuring client's.
 */
async function hostile({ zones: [zone] }) {
  process.stdout.write('held\n');
  const round = Buffer.concat([
    ...Array.from({ length: 10_000 }, () => frameOf(READ)),
    ...Array.from({ length: 200 }, (_, i) => frameOf(request(i + 1, SUBSCRIBE, new Map()))),
    frameOf(request(1, INVOKE, new Map([[1, 99]]))),
  ]);
  for (;;) {
    const socket = await connect({ ...zone, alpn: 'mash/1' });
    socket.on('error', () => {});
    socket.pause();
    socket.write(round);
    await Promise.race([new Promise((resolve) => socket.once('close', resolve)), new Promise((resolve) => setTimeout(resolve, 200))]);
    socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Round trips one after another on one connection, with `subscriptions` of its own. */
async function trips({ zones, floor, trips: left, subscriptions = 0 }) {
  const [link] = await open({ zones, floor, count: 1 });
  if (subscriptions > 0) await subscribe(link, subscriptions);
  const bytes = frameOf(READ);
  const times = [];
  await new Promise((resolve) => {
    let sentAt = now();
    link.onFrame((payload) => {
      // A notification among the answers has message id 0.
      if (floor === undefined && payload[2] === 0) return;
      times.push(now() - sentAt);
      if (times.length === left) return resolve();
      sentAt = now();
      link.write(bytes);
    });
    link.write(bytes);
  });
  return times;
}

/** Answers a second, sixteen in flight on each connection, until `reads` have come back. */
async function flood({ zones, floor, count, reads }) {
  const links = await open({ zones, floor, count });
  const bytes = frameOf(READ);
  const began = now();
  await new Promise((resolve) => {
    let answers = 0;
    for (const link of links) {
      link.onFrame(() => {
        answers++;
        if (answers === reads) resolve();
        else if (answers < reads) link.write(bytes);
      });
      for (let i = 0; i < 16; i++) link.write(bytes);
    }
  });
  return (reads / (now() - began)) * 1000;
}

/** From a SetLimit until the last subscription of all zones was told, and how large such a frame is. */
async function fanOut({ zones, floor, count, subscriptions, rounds }) {
  const links = await open({ zones, floor, count });
  if (floor === undefined) for (const link of links) await subscribe(link, subscriptions);
  const times = [];
  let size = 0;
  for (let round = 0; round < rounds; round++) {
    const expected = links.length * subscriptions;
    const began = now();
    await new Promise((resolve) => {
      let told = 0;
      for (const link of links)
        link.onFrame((payload) => {
          if (floor === undefined && payload[2] !== 0) return;
          size = payload.length;
          if (++told === expected) resolve();
        });
      links[0].send(
        request(
          100 + round,
          INVOKE,
          new Map([
            [1, 1],
            [
              2,
              new Map([
                ['consumptionLimit', 5_000_000 + round * 1000],
                ['cause', 1],
              ]),
            ],
          ]),
        ),
      );
    });
    times.push(now() - began);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { times, size };
}

const jobs = { busy, hostile, trips, flood, fanOut };
let input = '';
for await (const chunk of process.stdin) input += chunk;
const job = JSON.parse(input);
process.stdout.write(JSON.stringify(await jobs[job.kind](job)));
process.exit(0);
