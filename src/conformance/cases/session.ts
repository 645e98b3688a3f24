import { type CborValue, encodeCbor } from '../../codec/cbor.js';
import { classify, Operation } from '../../session/wire.js';
import type { ZoneOnDevice } from '../bench.js';
import type { BlackBoxCase } from '../case.js';
import type { Trial } from '../trial.js';
import { Refuted } from '../verdict.js';

const SOURCE = 'protocol.md §3';
/** protocol.md §2.13, reference-behaviour §4.7. */
const CLOSING = 5000;

function session(id: string, title: string, source: string, run: (t: Trial, zone: ZoneOnDevice) => Promise<string>): BlackBoxCase {
  return {
    id,
    title,
    source,
    pics: ['MASH.S.CONN'],
    dialects: 'each',
    needs: ['window'],
    run: async (t) => run(t, await t.bench.join(t.dialect)),
  };
}

/** What is asked, and the status that answers it. */
const STATUSES: readonly (readonly [
  what: string,
  status: number,
  ask: readonly [operation: number, endpoint: number, feature: number, payload?: CborValue],
])[] = [
  ['Read of an unknown endpoint', 1, [Operation.READ, 99, 1]],
  ['Read of an unknown feature', 2, [Operation.READ, 0, 0xee]],
  ['Read of an unknown attribute', 3, [Operation.READ, 0, 1, [0xfffd]]],
  ['Invoke of an unknown command', 4, [Operation.INVOKE, 0, 1, new Map([[1, 250]])]],
  ['Write of a read-only attribute', 6, [Operation.WRITE, 0, 1, new Map([[1, 'x']])]],
  ['an operation that does not exist', 10, [9, 0, 1]],
  ['RemoveZone without an id', 5, [Operation.INVOKE, 0, 1, new Map([[1, 16]])]],
];

export const SESSION: readonly BlackBoxCase[] = [
  session('TC-STATUS', 'Each kind of bad request has its status', `${SOURCE}; reference-behaviour §4.7`, async (t, { peer }) => {
    for (const [what, due, ask] of STATUSES) {
      t.step(what);
      t.equal((await peer.ask(...ask)).status, due, `status of ${what}`);
    }
    return STATUSES.map(([, status]) => status).join(' ');
  }),
  session('TC-DUPLICATE-KEY', 'A map with a key twice is answered with status 5, and the connection stays', SOURCE, async (t, { peer }) => {
    t.step('{1:7, 1:7, 2:1, 3:0, 4:1}');
    peer.sendPayload(Uint8Array.from([0xa5, 1, 7, 1, 7, 2, 1, 3, 0, 4, 1]));
    const frame = await peer.frame();
    const inbound = typeof frame === 'string' ? undefined : classify(frame, () => true);
    t.holds(inbound?.kind === 'response' && inbound.response.status === 5, `status 5 is due, seen was ${JSON.stringify(inbound ?? frame)}`);
    await peer.read(0, 1, 1);
    return 'status 5; the next Read is answered';
  }),
  session('TC-FRAME-LENGTH', 'A frame of length 0, or above the maximum, ends the connection', 'protocol.md §1', async (t, zone) => {
    const maximum = t.pics.number('MASH.S.TRANS.MAX_MSG_SIZE');
    t.step('a prefix of 0');
    zone.peer.sendRaw(new Uint8Array(4));
    t.holds(await zone.peer.ends(CLOSING), 'a frame of length 0 left the connection open');
    zone.peer = await t.bench.operational(zone);
    t.step(`a prefix of ${maximum + 1}`);
    const prefix = new Uint8Array(4);
    new DataView(prefix.buffer).setUint32(0, maximum + 1);
    zone.peer.sendRaw(prefix);
    t.holds(await zone.peer.ends(CLOSING), `a frame of ${maximum + 1} bytes left the connection open`);
    return 'both closed';
  }),
  session('TC-FRAME-MAXIMUM', 'A frame of just the maximum is taken', 'pics-registry §2.4', async (t, { peer }) => {
    const maximum = t.pics.number('MASH.S.TRANS.MAX_MSG_SIZE');
    const read = (filler: number): Uint8Array =>
      encodeCbor(
        new Map<number, CborValue>([
          [1, 500],
          [2, 1],
          [3, 0],
          [4, 1],
          [5, [1]],
          [99, new Uint8Array(filler)],
        ]),
      );
    t.step(`a Read of ${maximum} bytes`);
    const short = read(maximum - 64).length;
    peer.sendPayload(read(maximum - 64 + (maximum - short)));
    t.equal((await peer.reply(500)).status, 0, 'status');
    return `${maximum} bytes`;
  }),
  session('TC-PING', 'A ping is answered by a pong of the same number', SOURCE, async (t, { peer, dialect }) => {
    t.step('ping 77');
    peer.control({ control: 'ping', sequence: 77, form: dialect === 'draft' ? 'text' : 'number' });
    const frame = await peer.frame();
    const inbound = typeof frame === 'string' ? undefined : classify(frame, () => false);
    if (inbound?.kind !== 'control' || inbound.control.control !== 'pong')
      throw new Refuted(`pong is due, seen was ${JSON.stringify(inbound ?? frame)}`);
    t.equal('sequence' in inbound.control ? inbound.control.sequence : undefined, 77, 'number');
    return 'pong 77';
  }),
  session('TC-CLOSE', 'A close is acknowledged, then the device closes', 'protocol.md §2.13, §3', async (t, { peer, dialect }) => {
    t.step('close');
    const form = dialect === 'draft' ? 'text' : 'number';
    peer.control({ control: 'close', form });
    const frame = await peer.frame(CLOSING);
    const inbound = typeof frame === 'string' ? undefined : classify(frame, () => false);
    // In numbers, the acknowledgement looks like the close itself.
    const due = form === 'text' ? 'closeAck' : 'close';
    t.equal(inbound?.kind === 'control' ? inbound.control.control : String(frame), due, 'answer to close');
    t.holds(await peer.ends(CLOSING), 'acknowledged, but not closed');
    return 'acknowledged, closed';
  }),
  session('TC-REPLACE', 'A second connection of a zone replaces the first', 'protocol.md §1', async (t, zone) => {
    t.step('a second connection');
    const second = await t.bench.operational(zone);
    await second.read(0, 1, 1);
    t.holds(await zone.peer.ends(CLOSING), 'the first connection stays open');
    zone.peer = second;
    return 'the first is closed, the second served';
  }),
  session(
    'TC-SUBSCRIBE',
    'A subscription is primed, its id fits one byte, its intervals are judged',
    'features.md; reference-behaviour §4.8',
    async (t, { peer }) => {
      t.step('Subscribe to 0/DeviceInfo');
      const { status, payload } = await peer.ask(Operation.SUBSCRIBE, 0, 1, new Map<number, CborValue>([[1, [1]]]));
      t.equal(status, 0, 'status');
      const id = payload.get(1);
      t.holds(typeof id === 'number' && id >= 1 && id <= 255, `an id of 1…255 is due, seen was ${String(id)}`);
      t.holds(payload.get(2) instanceof Map, 'the response carries no values');
      t.step('minInterval above maxInterval');
      const swapped = new Map<number, CborValue>([
        [1, [1]],
        [2, 60_000],
        [3, 1000],
      ]);
      t.equal((await peer.ask(Operation.SUBSCRIBE, 0, 1, swapped)).status, t.pics.profile === 'draft' ? 11 : 13, 'status of it');
      return `subscription ${String(id)}`;
    },
  ),
];
