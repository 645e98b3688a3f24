import { describe, expect, it } from 'vitest';
import { formatQr, parseQr } from '../../src/crypto/qr.js';
import { parseSetupCode } from '../../src/crypto/setup-code.js';
import { ConfigError } from '../../src/errors.js';

const code = parseSetupCode('20202021');

function fieldOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as Error).message).not.toContain('2020');
    return (error as ConfigError).where;
  }
  return 'accepted';
}

describe('QR text (protocol.md §3)', () => {
  it('four fields', () => {
    expect(formatQr({ discriminator: 1234, code })).toBe('MASH:1:1234:20202021');
    const { discriminator, code: parsed, vendorId, productId } = parseQr('MASH:1:1234:20202021');
    expect([discriminator, parsed.digits(), vendorId, productId]).toEqual([1234, '20202021', undefined, undefined]);
  });

  it('six fields, as the label prints them', () => {
    expect(formatQr({ discriminator: 0, code, vendorId: 0xabc, productId: 0xffff })).toBe('MASH:1:0:20202021:0x0ABC:0xFFFF');
    const { vendorId, productId } = parseQr('MASH:1:0:20202021:0x0ABC:0xffff');
    expect([vendorId, productId]).toEqual([0xabc, 0xffff]);
  });

  it.each([0, 1, 4095])('carries the discriminator %d there and back', (discriminator) => {
    expect(parseQr(formatQr({ discriminator, code })).discriminator).toBe(discriminator);
  });

  it('takes a trivial code only when told so', () => {
    expect(fieldOf(() => parseQr('MASH:1:1:12345678'))).toBe('qr.code');
    expect(parseQr('MASH:1:1:12345678', { allowTrivial: true }).code.digits()).toBe('12345678');
  });

  it.each([
    ['', 'qr'],
    ['MASH:1:1234', 'qr'],
    ['MASH:1:1234:20202021:0x1234', 'qr'],
    ['MASH:1:1234:20202021:0x1234:0x1234:', 'qr'],
    ['mash:1:1234:20202021', 'qr.prefix'],
    [' MASH:1:1234:20202021', 'qr.prefix'],
    ['MASH:2:1234:20202021', 'qr.version'],
    ['MASH:01:1234:20202021', 'qr.version'],
    ['MASH:1:4096:20202021', 'qr.discriminator'],
    ['MASH:1::20202021', 'qr.discriminator'],
    ['MASH:1:-1:20202021', 'qr.discriminator'],
    ['MASH:1:0x1:20202021', 'qr.discriminator'],
    ['MASH:1:00001:20202021', 'qr.discriminator'],
    ['MASH:1:1234:2020202', 'qr.code'],
    ['MASH:1:1234:20202021 ', 'qr.code'],
    ['MASH:1:1234:20202021:1234:0x1234', 'qr.vendorId'],
    ['MASH:1:1234:20202021:0X1234:0x1234', 'qr.vendorId'],
    ['MASH:1:1234:20202021:0x123:0x1234', 'qr.vendorId'],
    ['MASH:1:1234:20202021:0x12345:0x1234', 'qr.vendorId'],
    ['MASH:1:1234:20202021:0x12G4:0x1234', 'qr.vendorId'],
    ['MASH:1:1234:20202021:0x-123:0x1234', 'qr.vendorId'],
    ['MASH:1:1234:20202021:0x1234:', 'qr.productId'],
    ['MASH:1:1234:20202021:0x1234:0x 123', 'qr.productId'],
  ])('refuses %j at %s', (text, where) => {
    expect(fieldOf(() => parseQr(text))).toBe(where);
  });

  it.each([
    [{ discriminator: 4096, code }, 'qr.discriminator'],
    [{ discriminator: -1, code }, 'qr.discriminator'],
    [{ discriminator: 1.5, code }, 'qr.discriminator'],
    [{ discriminator: 1, code, vendorId: 1 }, 'qr.productId'],
    [{ discriminator: 1, code, productId: 1 }, 'qr.vendorId'],
    [{ discriminator: 1, code, vendorId: 0x10000, productId: 1 }, 'qr.vendorId'],
    [{ discriminator: 1, code, vendorId: 1, productId: -1 }, 'qr.productId'],
  ])('does not print what it would not read (%#)', (content, where) => {
    expect(fieldOf(() => formatQr(content))).toBe(where);
  });
});
