import { describe, expect, it } from 'vitest';
import { ConfigError, PeerError } from '../../src/errors.js';
import { LOG_LEVELS, nodeLog } from '../../src/node/log.js';
import type { LogFields, LogLevel } from '../../src/platform.js';
import { Secret } from '../../src/secret.js';

function logged(format: 'pretty' | 'json', fields: LogFields, message = 'message'): string {
  const lines: string[] = [];
  nodeLog({ level: 'debug', format, write: (line) => lines.push(line) })
    .scoped('scope')
    .info(message, fields);
  expect(lines).toHaveLength(1);
  return lines[0] ?? '';
}

describe('levels', () => {
  it.each(LOG_LEVELS)('%s writes itself and what is graver', (level) => {
    const seen: LogLevel[] = [];
    const log = nodeLog({ level, format: 'json', write: (line) => seen.push((JSON.parse(line) as { level: LogLevel }).level) });
    for (const each of LOG_LEVELS) log[each]('x');
    expect(seen).toEqual(LOG_LEVELS.slice(0, LOG_LEVELS.indexOf(level) + 1));
  });
});

describe('json', () => {
  it('is one object a line', () => {
    const line = logged('json', { port: 8443, text: 'a "b"\nc', big: 2n ** 64n, nothing: null });
    expect(line).not.toContain('\n');
    const { time, ...rest } = JSON.parse(line) as Record<string, unknown>;
    expect(new Date(String(time)).toISOString()).toBe(time);
    expect(rest).toEqual({
      level: 'info',
      scope: 'scope',
      message: 'message',
      port: 8443,
      text: 'a "b"\nc',
      big: '18446744073709551616',
      nothing: null,
    });
  });
});

describe('pretty', () => {
  it('says nothing of what is not there, as JSON does', () => {
    const fields = { interface: undefined, reason: 'none' };
    expect(logged('pretty', fields)).toMatch(/message reason=none$/);
    expect(logged('json', fields)).not.toContain('interface');
  });

  it('is readable', () => {
    expect(
      logged('pretty', { zone: 'A66A', remote: 'fe80::1%eth0', reason: 'two words', empty: '', list: [1, 2] }).replace(/^\S+/, 'T'),
    ).toBe('T info  scope: message zone=A66A remote=fe80::1%eth0 reason="two words" empty="" list=[1,2]');
  });

  it.each(['a\nb', '\u001b[31mred', 'tab\there', 'quote"d', '\u009b2J', '\u2028', '\u007f', 'a\r'])(
    '%j cannot leave its line nor reach the terminal',
    (text) => {
      const value = logged('pretty', { text }).split('text=')[1] ?? '';
      expect(value).toMatch(/^"[\x20-\x7e]*"$/);
      expect(JSON.parse(value)).toBe(text);
    },
  );
});

describe.each(['json', 'pretty'] as const)('values in %s', (format) => {
  it('secrets are masked wherever they are', () => {
    const secret = new Secret(Buffer.from('20220211'));
    const line = logged(format, { secret, deep: { list: [secret] } });
    expect(line).not.toContain('2022');
    expect(line).not.toContain('50,48');
    expect(line.match(/\[secret\]/g)).toHaveLength(2);
  });

  it('bytes are hexadecimal, and not endless', () => {
    expect(logged(format, { bytes: Uint8Array.of(0, 255, 16) })).toContain('00ff10');
    expect(logged(format, { bytes: new Uint8Array(10_000) }).length).toBeLessThan(300);
  });

  it('expected errors say what they are; a bug of ours says where too', () => {
    const expected = logged(format, { error: new PeerError(5, 'bad peer'), other: new ConfigError('key', 'bad value') });
    expect(expected).toContain('bad peer');
    expect(expected).toContain('key: bad value');
    expect(expected).not.toContain('log.test');
    const bug = logged(format, { error: new TypeError('undefined is not a function') });
    expect(bug).toContain('TypeError');
    expect(bug).toContain('log.test');
    expect(bug).not.toContain('\n');
  });
});
