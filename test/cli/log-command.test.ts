import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDeviceArguments } from '../../src/cli/device-arguments.js';
import { concat } from '../../src/codec/bytes.js';
import { type CborKey, type CborValue, encodeCbor } from '../../src/codec/cbor.js';
import { encodeEntry, type LogEvent } from '../../src/protocol-log/index.js';
import { decodeLog } from '../world/protocol-log.js';

const T0 = Date.UTC(2026, 10, 25, 16);
const map = (...pairs: readonly (readonly [CborKey, CborValue])[]): CborValue => new Map(pairs);
const frame = (direction: 'in' | 'out', value: CborValue, connection = 2): LogEvent => {
  const payload = encodeCbor(value);
  return { kind: 'frame', connection, direction, size: payload.length, payload, masked: false };
};
const EVENTS: readonly LogEvent[] = [
  { kind: 'start', firmware: '0.1.0', board: 'sim-evse', profile: 'draft' },
  { kind: 'open', connection: 1, channel: 'commissioning', remote: '::1' },
  frame('in', map([1, 'pase_x'], [2, Uint8Array.of(2)]), 1),
  { kind: 'close', connection: 1, reason: 'closed\u001b[2J by the peer' },
  { kind: 'open', connection: 2, channel: 'operational', remote: 'fe80::2%eth0' },
  frame('in', map([1, 7], [2, 1], [3, 0], [4, 1], [5, [1]])),
  frame('out', map([1, 7], [2, 0], [3, map([1, 'x'])])),
  frame('in', map([1, 8], [2, 4], [3, 1], [4, 5], [5, map([1, 1])])),
  frame('out', map([1, 8], [2, 11], [3, map([1, 'too much'])])),
  frame('out', map([1, 0], [2, 1], [3, 1], [4, 5], [5, map([20, null])])),
  { kind: 'state', level: 'info', scope: 'session', text: 'zone connected', fields: new Map([['zone', 'AB']]) },
  { kind: 'dns', direction: 'out', interface: 'eth0', peer: 'group', questions: ['a.local SRV'], records: ['a.local AAAA 120 fd00::1'] },
];

let folder = '';
let file = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'mash-log-'));
  file = path.join(folder, 'run.mlog');
  writeFileSync(file, concat(...EVENTS.map((event, i) => encodeEntry({ time: T0 + i * 1000, at: i * 1000, event })), Uint8Array.of(0xa3)));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function log(...argv: readonly string[]): Promise<{ out: string; err: string; code: number }> {
  let out = '';
  let err = '';
  const print = (text: string): void => {
    out += text;
  };
  const parsed = parseDeviceArguments(['log', ...argv], false, print, (text) => {
    err += text;
  });
  if (parsed.kind === 'command') await parsed.run();
  return { out, err, code: parsed.kind === 'exit' ? parsed.code : 0 };
}

describe('mash-device log view', () => {
  it('shows each entry on a line, and says what is torn', async () => {
    const { out, err } = await log('view', file);
    expect(out.split('\n')).toEqual([
      '2026-11-25T16:00:00.000 start  firmware 0.1.0, board sim-evse, profile draft',
      '2026-11-25T16:00:01.000 #1 open   commissioning ::1',
      '2026-11-25T16:00:02.000 #1 <- 12 B pase_x  {1: "pase_x", 2: h\'02\'}',
      '2026-11-25T16:00:03.000 #1 close  closed\\u001b[2J by the peer',
      '2026-11-25T16:00:04.000 #2 open   operational fe80::2%eth0',
      '2026-11-25T16:00:05.000 #2 <- 12 B read 7 0/DeviceInfo  {1: 7, 2: 1, 3: 0, 4: 1, 5: [1]}',
      '2026-11-25T16:00:06.000 #2 -> 10 B response 7 SUCCESS  {1: 7, 2: 0, 3: {1: "x"}}',
      '2026-11-25T16:00:07.000 #2 <- 13 B invoke 8 1/EnergyControl  {1: 8, 2: 4, 3: 1, 4: 5, 5: {1: 1}}',
      '2026-11-25T16:00:08.000 #2 -> 17 B response 8 CONSTRAINT  {1: 8, 2: 11, 3: {1: "too much"}}',
      '2026-11-25T16:00:09.000 #2 -> 13 B notification 1/EnergyControl subscription 1  {1: 0, 2: 1, 3: 1, 4: 5, 5: {20: null}}',
      '2026-11-25T16:00:10.000 info   session: zone connected zone=AB',
      '2026-11-25T16:00:11.000 dns -> eth0 group  ? a.local SRV | a.local AAAA 120 fd00::1',
      '',
    ]);
    expect(err).toBe(`mash-device: ${file}: the last 1 bytes are no whole entry\n`);
  });

  it.each([
    [
      ['--kind', 'open,close'],
      ['open', 'close', 'open'],
    ],
    [
      ['--connection', '1'],
      ['open', 'frame', 'close'],
    ],
    [
      ['--type', 'read,response'],
      ['frame', 'frame', 'frame'],
    ],
    [
      ['--direction', 'out', '--kind', 'frame'],
      ['frame', 'frame', 'frame'],
    ],
    [['--text', 'ZONE CONN'], ['state']],
    [['--text', 'aaaa'], ['dns']],
    [
      ['--since', '2026-11-25T16:00:10Z'],
      ['state', 'dns'],
    ],
    [['--until', String(T0 / 1000 + 0.5)], ['start']],
  ] as const)('with %j shows %j', async (options, shown) => {
    const { out } = await log('export', file, '--json', ...options);
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).kind),
    ).toEqual(shown);
  });
});

describe('mash-device log filter', () => {
  it('writes another log of the same entries, and never over one that is there', async () => {
    const other = path.join(folder, 'other.mlog');
    expect((await log('filter', file, '--connection', '2', '--out', other)).out).toBe(`6 entries written to ${other}\n`);
    const { entries, torn } = decodeLog(Uint8Array.from(readFileSync(other)));
    expect([entries.map(({ event }) => event), torn]).toEqual([EVENTS.slice(4, 10), 0]);
    await expect(log('filter', file, '--out', other)).rejects.toThrow(/^--out: EEXIST/);
  });
});

describe('mash-device log stats', () => {
  it('counts, and tells how long answers took', async () => {
    expect(JSON.parse((await log('stats', file, '--json')).out)).toEqual({
      entries: 12,
      torn: 1,
      first: T0,
      last: T0 + 11_000,
      kinds: { start: 1, open: 2, frame: 6, close: 1, state: 1, dns: 1 },
      connections: 2,
      frames: { in: { frames: 3, bytes: 37 }, out: { frames: 3, bytes: 40 } },
      types: { pase_x: 1, read: 1, 'response SUCCESS': 1, invoke: 1, 'response CONSTRAINT': 1, notification: 1 },
      latency: { count: 2, p50: 1, p99: 1, maximum: 1 },
    });
    expect((await log('stats', file)).out).toContain('2 answers: p50 1 ms, p99 1 ms, longest 1 ms');
  });
});

describe('mash-device log export --json', () => {
  it('is one value a line, frames with their item', async () => {
    const { out } = await log('export', file, '--json', '--type', 'invoke');
    expect(JSON.parse(out)).toEqual({
      time: '2026-11-25T16:00:07.000Z',
      at: 7000,
      kind: 'frame',
      connection: 2,
      direction: 'in',
      size: 13,
      payload: 'a50108020403010405'.concat('05a10101'),
      masked: false,
      summary: { type: 'invoke', id: 8, about: '1/EnergyControl' },
      item: { 1: 8, 2: 4, 3: 1, 4: 5, 5: { 1: 1 } },
    });
  });
});

describe('mash-device log refuses', () => {
  it.each([
    [['view', '--kind', 'fram', 'x'], "'fram' is none of start, open"],
    [['view', '--connection', 'one', 'x'], "'one' is no number of a connection"],
    [['view', '--since', 'noon', 'x'], 'A time is due'],
    [['view'], "missing required argument 'file'"],
    [['viw', 'x'], 'Did you mean view?'],
    [['export', 'x'], "required option '--json'"],
  ])('%j', async (argv, text) => {
    const { err, code } = await log(...argv);
    expect(err).toContain(text);
    expect(code).toBe(2);
  });

  it.each([
    ['a text', Buffer.from('no log at all\n'.repeat(1000))],
    ['zeros', Buffer.alloc(5_000_000)],
    ['what looks like a long item', Buffer.concat([Buffer.from([0x5a, 0xff, 0xff, 0xff, 0xff]), Buffer.alloc(5_000_000)])],
    ['another map', Buffer.from(encodeCbor(map(['time', 1], ['at', 1], ['kind', 'other'])))],
    ['a time beyond the calendar', Buffer.from(encodeCbor(map(['time', 9e15], ['at', 1], ['kind', 'dropped'], ['entries', 1])))],
  ])('a foreign file (%s): exit code 2', async (_what, bytes) => {
    const foreign = path.join(folder, 'foreign');
    writeFileSync(foreign, bytes);
    for (const argv of [['view'], ['stats'], ['export', '--json'], ['filter', '--out', path.join(folder, 'of-foreign')]])
      await expect(log(...argv, foreign)).rejects.toMatchObject({ name: 'ConfigError', message: /foreign: no protocol log/ });
    expect(readdirSync(folder)).not.toContain('of-foreign');
  });

  it('an empty file is an empty log; of a foreign end only what is whole is read', async () => {
    const half = path.join(folder, 'half');
    writeFileSync(half, '');
    expect(await log('view', half)).toEqual({ out: '', err: '', code: 0 });
    const whole = encodeEntry({ time: T0, at: 0, event: { kind: 'dropped', entries: 7 } });
    writeFileSync(half, Buffer.concat([whole, Buffer.alloc(100_000, 0x41), whole]));
    const { out, err } = await log('view', half);
    expect(out).toBe('2026-11-25T16:00:00.000 dropped 7 entries\n');
    expect(err).toContain(`the last ${100_000 + whole.length} bytes are no whole entry`);
  });

  it('a frame whose payload is none is shown as such; texts of peers move no cursor', async () => {
    const odd = path.join(folder, 'odd');
    const events: readonly LogEvent[] = [
      { kind: 'frame', connection: 1, direction: 'in', size: 1, payload: Uint8Array.of(0xff), masked: false },
      frame('in', map(['type', 'ping\u001b[2J\u009b2J'])),
    ];
    writeFileSync(odd, concat(...events.map((event) => encodeEntry({ time: T0, at: 0, event }))));
    const lines = (await log('view', odd)).out.split('\n');
    expect(lines[0]).toContain("unreadable: no CBOR h'ff'");
    expect(lines[1]).toContain('ping\\u001b[2J\\u009b2J');
    expect(JSON.parse((await log('stats', odd, '--json')).out).types).toMatchObject({ unreadable: 1 });
  });

  it('a file that is not there, by its name', async () => {
    await expect(log('view', path.join(folder, 'none'))).rejects.toThrow(/none: ENOENT/);
  });
});
