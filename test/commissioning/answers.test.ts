import { describe, expect, it } from 'vitest';
import type { CborKey, CborValue } from '../../src/codec/cbor.js';
import { failureAnswer } from '../../src/commissioning/answers.js';
import type { Failure, StateName } from '../../src/commissioning/session-states.js';
import { draftDialect, referenceDialect } from '../../src/dialect/dialect.js';
import { Status } from '../../src/dialect/messages.js';

const PHASES: readonly StateName[] = [
  'PASE_WAIT_X',
  'PASE_COMPUTE',
  'PASE_WAIT_V',
  'PASE_VERIFIED',
  'CSR_GENERATE',
  'CERT_WAIT',
  'CERT_INSTALL',
];
const PASE: readonly StateName[] = PHASES.slice(0, 3);
/** From message 32 on, as far as an answer is due: CERT_WAIT itself only times out. */
const AFTER_CSR: readonly StateName[] = PHASES.slice(5);

const FILLER = new Uint8Array(32).fill(9);
const none = 'closed without an answer';
type Wire = readonly (readonly [CborKey, CborValue])[] | typeof none;

/** A failure, and what it is in messages 2–31 and after message 32 (protocol.md §3). */
const FAILURES: readonly { readonly failure: Failure; readonly name: string; readonly reference: Wire; readonly after32: Wire }[] = [
  {
    name: 'bad point',
    failure: { status: 'badPoint', text: 'X' },
    reference: error(1, 'invalid public key'),
    after32: error(1, 'invalid public key'),
  },
  {
    name: 'wrong code',
    failure: { status: Status.VERIFICATION_FAILED, text: 'T' },
    reference: [
      [1, 4],
      [2, FILLER],
      [3, 2],
    ],
    after32: [
      [1, 4],
      [2, FILLER],
      [3, 2],
    ],
  },
  { name: 'time-out', failure: { status: Status.TIMEOUT, text: 'T' }, reference: none, after32: none },
  { name: 'zone full', failure: { status: Status.ZONE_FULL, text: 'T' }, reference: error(5, 'zone slots full'), after32: ack(2) },
  { name: 'same CA or type', failure: { status: Status.ALREADY_COMMISSIONED, text: 'T' }, reference: error(10, 'T'), after32: ack(2) },
  { name: 'bad certificate', failure: { status: Status.INVALID_CERT, text: 'T' }, reference: error(4, 'T'), after32: ack(3) },
  {
    name: 'not the key of the CSR',
    failure: { status: Status.INVALID_CERT, text: 'T', wrongKey: true },
    reference: error(4, 'T'),
    after32: ack(4),
  },
  { name: 'storage', failure: { status: Status.STORAGE_ERROR, text: 'T' }, reference: error(4, 'T'), after32: ack(2) },
  { name: 'key generation', failure: { status: Status.KEY_GENERATION_ERROR, text: 'T' }, reference: error(3, 'T'), after32: ack(2) },
  { name: 'wrong shape or order', failure: { status: Status.INVALID_FORMAT, text: 'T' }, reference: none, after32: none },
  { name: 'internal', failure: { status: Status.INTERNAL_ERROR, text: 'T' }, reference: error(255, 'T'), after32: ack(2) },
  {
    name: 'busy',
    failure: { status: Status.DEVICE_BUSY, text: 'T', retryAfter: 85_000 },
    reference: error(5, 'T', 85_000),
    after32: error(5, 'T', 85_000),
  },
  { name: 'busy, no hint', failure: { status: Status.DEVICE_BUSY, text: 'T' }, reference: error(5, 'T'), after32: error(5, 'T') },
];

/** Key 4 is always present, 0 where no retry helps. */
function error(code: number, text: string, retryAfter = 0): Wire {
  return [
    [1, 255],
    [2, code],
    [3, text],
    [4, retryAfter],
  ];
}
function ack(status: number): Wire {
  return [
    [1, 33],
    [2, status],
    [3, 0],
  ];
}

describe.each(FAILURES)('$name', ({ failure, reference, after32 }) => {
  it.each(PHASES)('draft, in %s', (during) => {
    const answer = failureAnswer('draft', failure, during, () => expect.fail('no filler in the draft'));
    // TC-PASE-4: a bad point closes.
    if (failure.status === 'badPoint') expect(answer).toBeUndefined();
    else {
      // §2.7: up to PASE_VERIFY by pase_confirm, a later one by cert_ack.
      const inPase = PASE.includes(during);
      const wire: [CborKey, CborValue][] = [
        [1, inPase ? 'pase_confirm' : 'cert_ack'],
        [2, failure.status],
        [3, failure.text],
      ];
      if (inPase && failure.retryAfter !== undefined) wire.push([4, failure.retryAfter]);
      expect(answer && draftDialect.encode(answer)).toEqual(new Map(wire));
    }
  });

  it.each(PHASES)('reference, in %s', (during) => {
    const answer = failureAnswer('reference', failure, during, () => FILLER);
    const expected = AFTER_CSR.includes(during) ? after32 : reference;
    if (expected === none) expect(answer).toBeUndefined();
    else expect(answer && referenceDialect.encode(answer)).toEqual(new Map(expected));
  });
});

it('busy in the draft is the message of §2.9', () => {
  const answer = failureAnswer(
    'draft',
    { status: Status.DEVICE_BUSY, text: 'Device busy commissioning', retryAfter: 5000 },
    'PASE_COMPUTE',
    () => FILLER,
  );
  expect(answer && draftDialect.encode(answer)).toEqual(
    new Map<CborKey, CborValue>([
      [1, 'pase_confirm'],
      [2, 16],
      [3, 'Device busy commissioning'],
      [4, 5000],
    ]),
  );
});

it('no answer of the reference dialect holds the letters "code ", which its tools search for', () => {
  for (const { failure } of FAILURES)
    for (const during of PHASES)
      expect(JSON.stringify(failureAnswer('reference', failure, during, () => FILLER) ?? '')).not.toContain('code ');
});
