import { describe, expect, it } from 'vitest';
import { utf8Decode, utf8Encode } from '../../src/codec/utf8.js';
import { CASES } from '../../src/conformance/cases/index.js';
import { failures, type LabOptions, type Mutation, runLab } from './lab.js';
import { announcements, dropsOldTls, eachRecord, forgetsExpiry, mapped, routes, streams, withKey } from './mutants.js';

const LATE = 3500;
const CLEAR_LIMIT = 2;

/** A fault of a device, and the cases that find it. */
const MUTANTS: readonly (readonly [fault: string, found: readonly string[], mutation: Mutation])[] = [
  [
    'SRV records live for a minute',
    ['TC-MDNS-TTL'],
    announcements((message) =>
      eachRecord(message, (record) => (record.type === 'SRV' && record.ttl > 0 ? { ...record, ttl: 60 } : record)),
    ),
  ],
  ['a sixth slot', ['TC-ZONE-3'], { set: { 'zones.slots': '6' } }],
  ['failsafe begins late', ['TC-FAILSAFE-ENTRY'], streams({ lateClose: LATE })],
  ['no goodbye', ['TC-TRANS-2'], announcements((message) => (message.answers.some(({ ttl }) => ttl === 0) ? undefined : message))],
  [
    'an unknown feature is called an unknown endpoint',
    ['TC-STATUS'],
    streams({
      outbound: mapped((map) => (map.get(2) === 2 && !map.has(4) && map.get(1) !== 1 && map.size === 3 ? withKey(map, 2, 1) : map)),
    }),
  ],
  [
    'an expired controller certificate is accepted',
    ['TC-CERT-VAL-CTRL-2'],
    streams({ peerCertificate: forgetsExpiry(Math.floor(Date.now() / 1000)) }),
  ],
  [
    'another ALPN is refused with another alert',
    ['TC-TLS-ALPN-002'],
    routes((decision) => (decision.kind === 'refuse' && decision.alert === 120 ? { ...decision, alert: 80 } : decision)),
  ],
  [
    'PASE is not bound to its connection',
    ['TC-PASE-BINDING'],
    streams({
      inbound: mapped((map, stream) => (map.get(1) === 'pase_x' ? withKey(map, 3, stream.exporter('EXPORTER-MASH-PASE', 32)) : map)),
    }),
  ],
  [
    'close is not acknowledged',
    ['TC-CLOSE'],
    streams({ outbound: mapped((map, { kind }) => (kind === 'operational' && map.get('type') === 'close_ack' ? undefined : map)) }),
  ],
  [
    'the serial number stands under another key of the TXT record',
    ['TC-MDNS-TXT-COMM'],
    announcements((message) =>
      eachRecord(message, (record) =>
        record.type !== 'TXT'
          ? record
          : { ...record, strings: record.strings.map((bytes) => utf8Encode((utf8Decode(bytes) ?? '').replace(/^serial=/, 'sn='))) },
      ),
    ),
  ],
  [
    'ClearLimit releases nothing',
    ['TC-LIMIT-CLEAR'],
    streams({
      inbound: mapped((map) => {
        const payload = map.get(5);
        if (map.get(2) !== 4 || map.get(4) !== 5 || !(payload instanceof Map) || payload.get(1) !== CLEAR_LIMIT) return map;
        return withKey(withKey(map, 2, 1), 5, [CLEAR_LIMIT]);
      }),
    }),
  ],
  [
    'a zone that exists is called an invalid certificate',
    ['TC-ZONE-4'],
    streams({ outbound: mapped((map) => (map.get(1) === 'cert_ack' && map.get(2) === 4 ? withKey(map, 2, 5) : map)) }),
  ],
];

const found = async (mutation: Mutation, more: Partial<LabOptions> = {}): Promise<readonly string[]> => {
  const outcomes = await runLab({ profile: 'draft', dialects: ['draft'], patience: 1, mutation, ...more });
  return failures(outcomes);
};
const named = (failed: readonly string[]): readonly string[] => failed.map((text) => text.split(' ')[0] as string);

describe('planted faults: the case that is to find it fails, and no other', () => {
  it.concurrent('none: nothing fails', async () => {
    expect(await found({})).toEqual([]);
  });

  it.concurrent.each(MUTANTS)('%s: %j', async (_fault, expected, mutation) => {
    const failed = await found(mutation);
    expect(named(failed), failed.join('\n')).toEqual(expected);
  });
});

it.concurrent('TLS 1.2 is dropped without an alert: ["TC-TLS-VERSION-002"]', async () => {
  const cases = CASES.filter(({ id }) => id.startsWith('TC-TLS'));
  expect(named(await found({}, { cases }))).toEqual([]);
  expect(named(await found({ front: dropsOldTls }, { cases }))).toEqual(['TC-TLS-VERSION-002']);
});

describe('planted faults of time, in the cases of their chapters', () => {
  const numbers = { set: { 'commissioning.window': '8000' }, pics: { 'MASH.S.COMM.WINDOW_DURATION': 8 } };
  const cases = CASES.filter(({ id }) => id.startsWith('TC-COMM') || id.startsWith('TC-PASE'));

  it.concurrent.each<readonly [string, readonly string[], Mutation]>([
    ['none', [], {}],
    ['the window stays open for 12 s in place of 8', ['TC-COMM-2'], { set: { 'commissioning.window': '12000' } }],
    ['the device waits 5 s for CSR_REQ in place of 2', ['TC-COMM-3'], { set: { 'commissioning.csrRequest': '5000' } }],
    ['the device waits 5 s for PASE_X in place of 2', ['TC-PASE-3'], { set: { 'commissioning.firstMessage': '5000' } }],
  ])('%s: %j', async (_fault, expected, mutation) => {
    const failed = await found(mutation, { cases, numbers, patience: 15 });
    expect(named(failed), failed.join('\n')).toEqual(expected);
  });
});
