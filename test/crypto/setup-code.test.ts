import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { generateDiscriminator, generateSetupCode, parseSetupCode } from '../../src/crypto/setup-code.js';
import { ConfigError } from '../../src/errors.js';
import type { Entropy } from '../../src/platform.js';
import { SeededEntropy } from '../world/entropy.js';

/** The trivial codes of protocol.md §3. */
const TRIVIAL = [...Array.from({ length: 10 }, (_, digit) => String(digit).repeat(8)), '12345678', '87654321'];

function words(...values: readonly number[]): Entropy {
  const rest = [...values];
  return {
    bytes(length) {
      const bytes = new Uint8Array(length);
      new DataView(bytes.buffer).setUint32(0, rest.shift() ?? 0);
      return bytes;
    },
  };
}

describe('parseSetupCode', () => {
  it.each(['20202021', '00000001', '01234567', '99999998'])('accepts %s', (text) => {
    expect(parseSetupCode(text).digits()).toBe(text);
    expect(parseSetupCode(text)).toHaveLength(8);
  });

  it.each(['', '1234567', '123456789', '2020 021', '2020202a', '+2020202', '-2020202', '2020.021', '２０２０２０２１', '20202021\n'])(
    'refuses %j and does not repeat it',
    (text) => {
      const error = new ConfigError('setupCode', 'expected 8 decimal digits');
      expect(() => parseSetupCode(text)).toThrow(error);
      expect(() => parseSetupCode(text, { allowTrivial: true })).toThrow(error);
    },
  );

  it.each(TRIVIAL)('refuses the trivial %s unless told otherwise', (text) => {
    expect(() => parseSetupCode(text)).toThrow(new ConfigError('setupCode', 'too easy to guess'));
    expect(() => parseSetupCode(text, { allowTrivial: false })).toThrow(ConfigError);
    expect(parseSetupCode(text, { allowTrivial: true }).digits()).toBe(text);
  });

  it('is masked in every text form', () => {
    const code = parseSetupCode('20202021');
    for (const text of [
      String(code),
      `${code}`,
      JSON.stringify({ code }),
      inspect(code),
      inspect({ code }, { showHidden: true, depth: 9 }),
    ]) {
      expect(text).toContain('[secret]');
      expect(text).not.toContain('2020');
    }
  });
});

describe('generateSetupCode', () => {
  it('pads with zeros and takes no value twice as often: words from 4 200 000 000 on are drawn again', () => {
    expect(generateSetupCode(words(42)).digits()).toBe('00000042');
    expect(generateSetupCode(words(4_199_999_998)).digits()).toBe('99999998');
    expect(generateSetupCode(words(4_200_000_001, 0xffffffff, 1_420_202_021)).digits()).toBe('20202021');
  });

  it('never gives a trivial code', () => {
    for (const text of TRIVIAL) expect(generateSetupCode(words(Number(text), 7)).digits()).toBe('00000007');
  });

  it('spreads over the whole range', () => {
    const random = new SeededEntropy(8);
    const decades = new Set<string>();
    for (let round = 0; round < 500; round++) {
      const digits = generateSetupCode(random).digits();
      expect(digits).toMatch(/^\d{8}$/);
      decades.add(digits.slice(0, 1));
    }
    expect(decades.size).toBe(10);
  });

  it('ends with an error where the source never gives another value', () => {
    expect(() => generateSetupCode(words())).toThrow('the entropy source repeats itself');
  });
});

describe('generateDiscriminator', () => {
  it('takes twelve bits', () => {
    expect(generateDiscriminator({ bytes: () => Uint8Array.of(0xff, 0xff) })).toBe(4095);
    expect(generateDiscriminator({ bytes: () => Uint8Array.of(0xf0, 0x00) })).toBe(0);
    expect(generateDiscriminator({ bytes: () => Uint8Array.of(0x84, 0xd2) })).toBe(1234);
  });
});
