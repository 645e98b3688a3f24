import { decodeMultiple } from 'cbor-x';
import { describe, expect, it } from 'vitest';
import { concat } from '../../src/codec/bytes.js';
import { encodeCbor } from '../../src/codec/cbor.js';
import { encodeEntry, LOG_KINDS, type LogEntry, type LogEvent, LogReader } from '../../src/protocol-log/index.js';
import { decodeLog } from '../world/protocol-log.js';

const EVENTS: readonly LogEvent[] = [
  { kind: 'start', firmware: '0.1.0', board: 'sim-evse', profile: 'draft' },
  { kind: 'open', connection: 1, channel: 'operational', remote: 'fe80::2%eth0' },
  { kind: 'frame', connection: 1, direction: 'in', size: 3, payload: Uint8Array.of(0xa1, 1, 2), masked: false },
  { kind: 'frame', connection: 1, direction: 'out', size: 9, payload: Uint8Array.of(0xff), masked: false, error: 'truncated' },
  { kind: 'close', connection: 1, reason: 'closed by the peer' },
  { kind: 'state', level: 'info', scope: 'session', text: 'zone connected', fields: new Map([['zone', 'AB']]) },
  { kind: 'dns', direction: 'out', interface: 'eth0', peer: 'group', questions: [], records: ['a.local AAAA 120 fd00::1'] },
  { kind: 'dropped', entries: 7 },
];
const ENTRIES: readonly LogEntry[] = EVENTS.map((event, i) => ({ time: 1_790_000_000_000 + i, at: i * 1500, event }));
const bytes = concat(...ENTRIES.map(encodeEntry));

describe('a protocol log', () => {
  it('reads back what was written, every kind of event', () => {
    expect(decodeLog(bytes)).toEqual({ entries: ENTRIES, torn: 0 });
    expect(new Set(EVENTS.map(({ kind }) => kind))).toEqual(new Set(LOG_KINDS));
  });

  it('is a CBOR sequence to any other decoder', () => {
    const items = decodeMultiple(Buffer.from(bytes)) as { kind: string; time: number }[];
    expect(items.map(({ kind }) => kind)).toEqual(EVENTS.map(({ kind }) => kind));
    expect(items.map(({ time }) => Number(time))).toEqual(ENTRIES.map(({ time }) => time));
  });

  it('torn at any byte keeps every whole entry and counts the rest', () => {
    const ends = ENTRIES.map((_entry, i) => concat(...ENTRIES.slice(0, i + 1).map(encodeEntry)).length);
    for (let length = 0; length < bytes.length; length++) {
      const whole = ends.filter((end) => end <= length).length;
      const { entries, torn } = decodeLog(bytes.subarray(0, length));
      expect([entries.length, torn]).toEqual([whole, length - (ends[whole - 1] ?? 0)]);
    }
  });

  it('in pieces of any size is the same, and keeps nothing of what is behind it', () => {
    for (const size of [1, 2, 7, 64, 1000]) {
      const reader = new LogReader();
      const entries: LogEntry[] = [];
      for (let at = 0; at < bytes.length; at += size) entries.push(...reader.push(bytes.slice(at, at + size)));
      expect([entries, reader.torn]).toEqual([ENTRIES, 0]);
    }
  });

  it('that ends in something else for gigabytes counts it, and stores none of it', () => {
    const reader = new LogReader();
    const piece = new Uint8Array(1024 * 1024).fill(0x5b);
    expect([...reader.push(bytes)]).toEqual(ENTRIES);
    for (let i = 0; i < 2048; i++) expect([...reader.push(piece)]).toEqual([]);
    expect(reader.torn).toBe(2048 * piece.length);
  });

  it.each([
    ['a number', encodeCbor(7)],
    [
      'a map of another kind',
      encodeCbor(
        new Map<string, string | number>([
          ['time', 1],
          ['at', 1],
          ['kind', 'other'],
        ]),
      ),
    ],
    [
      'an entry without its fields',
      encodeCbor(
        new Map<string, string | number>([
          ['time', 1],
          ['at', 1],
          ['kind', 'frame'],
        ]),
      ),
    ],
  ])('stops at %s', (_what, other) => {
    expect(decodeLog(concat(encodeEntry(ENTRIES[0] as LogEntry), other))).toEqual({ entries: [ENTRIES[0]], torn: other.length });
  });
});
