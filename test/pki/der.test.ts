import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../src/codec/hex.js';
import { civilFromUnix, unixFromCivil } from '../../src/pki/calendar.js';
import { CertificateError } from '../../src/pki/certificate-error.js';
import { DerReader } from '../../src/pki/der-reader.js';
import { der, derBoolean, derInteger, derNamedBits, derOid, derSetOf, derText, derTime } from '../../src/pki/der-writer.js';
import { SeededEntropy } from '../world/entropy.js';

function reader(hex: string): DerReader {
  return new DerReader(fromHex(hex.replaceAll(' ', '')));
}

function refused(read: () => unknown): boolean {
  try {
    read();
    return false;
  } catch (error) {
    expect(error).toBeInstanceOf(CertificateError);
    expect(error).toMatchObject({ reason: 'malformed' });
    return true;
  }
}

const reads = {
  element: (r: DerReader) => toHex(r.element(0x04, 'x').content),
  integer: (r: DerReader) => toHex(r.unsigned('x', 20)),
  small: (r: DerReader) => r.smallUnsigned('x'),
  boolean: (r: DerReader) => r.boolean('x'),
  oid: (r: DerReader) => r.oid('x'),
  bits: (r: DerReader) => toHex(r.bitString('x')),
  named: (r: DerReader) => r.namedBits('x'),
  time: (r: DerReader) => r.time('x'),
};

describe('what the reader takes', () => {
  const rows: readonly [keyof typeof reads, string, unknown][] = [
    ['element', '04 00', ''],
    ['element', `04 7f ${'aa'.repeat(127)}`, 'aa'.repeat(127)],
    ['element', `04 81 80 ${'aa'.repeat(128)}`, 'aa'.repeat(128)],
    ['element', `04 82 0100 ${'aa'.repeat(256)}`, 'aa'.repeat(256)],
    ['integer', '02 01 00', '00'],
    ['integer', '02 01 7f', '7f'],
    ['integer', '02 02 0080', '80'],
    ['integer', `02 15 00 ${'ff'.repeat(20)}`, 'ff'.repeat(20)],
    ['small', '02 04 7fffffff', 0x7fff_ffff],
    ['boolean', '01 01 ff', true],
    ['boolean', '01 01 00', false],
    ['oid', '06 03 55 04 03', '2.5.4.3'],
    ['oid', '06 01 00', '0.0'],
    ['oid', '06 01 4f', '1.39'],
    ['oid', '06 02 88 37', '2.999'],
    ['oid', '06 08 2a8648ce3d030107', '1.2.840.10045.3.1.7'],
    ['bits', '03 03 00 0102', '0102'],
    ['named', '03 02 07 80', 1],
    ['named', '03 02 05 a0', 0b101],
    ['named', '03 03 07 ff80', 0x1ff],
    ['time', '17 0d 3730303130313030303030305a', 0],
    ['time', '17 0d 3439313233313233353935395a', Date.UTC(2049, 11, 31, 23, 59, 59) / 1000],
    ['time', '17 0d 3530303130313030303030305a', Date.UTC(1950, 0, 1) / 1000],
    ['time', '18 0f 32303438303232393132333435365a', Date.UTC(2048, 1, 29, 12, 34, 56) / 1000],
    ['time', '18 0f 39393939313233313233353935395a', Date.UTC(9999, 11, 31, 23, 59, 59) / 1000],
  ];
  it.each(rows)('%s %s', (kind, hex, value) => {
    const r = reader(hex);
    expect(reads[kind](r)).toBe(value);
    expect(r.done).toBe(true);
  });
});

describe('what the reader refuses as malformed', () => {
  const ascii = (text: string): string => toHex(new TextEncoder().encode(text));
  const rows: readonly [what: string, keyof typeof reads, string][] = [
    ['nothing', 'element', ''],
    ['a tag alone', 'element', '04'],
    ['another tag', 'element', '05 00'],
    ['content cut off', 'element', '04 02 aa'],
    ['indefinite length', 'element', '04 80 0000'],
    ['length 127 in long form', 'element', `04 81 7f ${'aa'.repeat(127)}`],
    ['length 255 in two bytes', 'element', `04 82 00ff ${'aa'.repeat(255)}`],
    ['length in three bytes', 'element', '04 83 000001 aa'],
    ['length in 127 bytes', 'element', '04 ff 00'],
    ['length bytes cut off', 'element', '04 82 01'],
    ['empty integer', 'integer', '02 00'],
    ['negative integer', 'integer', '02 01 80'],
    ['integer with a needless zero', 'integer', '02 02 007f'],
    ['integer with two zeros', 'integer', '02 03 000080'],
    ['integer above 20 bytes', 'integer', `02 15 ${'7f'.repeat(21)}`],
    ['small integer of 2³¹', 'small', '02 05 0080000000'],
    ['boolean 01', 'boolean', '01 01 01'],
    ['boolean of two bytes', 'boolean', '01 02 ffff'],
    ['boolean without content', 'boolean', '01 00'],
    ['empty object identifier', 'oid', '06 00'],
    ['object identifier cut off', 'oid', '06 02 2a86'],
    ['arc with a leading zero', 'oid', '06 03 2a8001'],
    ['arc above 2⁴⁹', 'oid', '06 09 2a ffffffffffffff7f'],
    ['bit string without its first byte', 'bits', '03 00'],
    ['bit string of broken bytes', 'bits', '03 02 01 fe'],
    ['empty bit list', 'named', '03 01 00'],
    ['bit list of zeros', 'named', '03 02 07 00'],
    ['bit list with a trailing zero bit', 'named', '03 02 06 80'],
    ['bit list with an unused bit set', 'named', '03 02 07 c0'],
    ['bit list with eight unused bits', 'named', '03 02 08 80'],
    ['bit list of three bytes', 'named', '03 04 00 010101'],
    ['time without seconds', 'time', `17 0b ${ascii('2601010000Z')}`],
    ['time without Z', 'time', `17 0c ${ascii('260101000000')}`],
    ['time with an offset', 'time', `17 11 ${ascii('260101000000+0100')}`],
    ['time with a fraction', 'time', `18 11 ${ascii('20260101000000.5Z')}`],
    ['time with a sign', 'time', `17 0d ${ascii('-60101000000Z')}`],
    ['time with a blank', 'time', `17 0d ${ascii('26010100000 Z')}`],
    ['time of non-ASCII digits', 'time', `17 0d d9a1${ascii('0101000000Z')}`],
    ['month 0', 'time', `17 0d ${ascii('260001000000Z')}`],
    ['month 13', 'time', `17 0d ${ascii('261301000000Z')}`],
    ['day 0', 'time', `17 0d ${ascii('260100000000Z')}`],
    ['31 April', 'time', `17 0d ${ascii('260431000000Z')}`],
    ['29 February of no leap year', 'time', `17 0d ${ascii('270229000000Z')}`],
    ['29 February 2100', 'time', `18 0f ${ascii('21000229000000Z')}`],
    ['hour 24', 'time', `17 0d ${ascii('260101240000Z')}`],
    ['minute 60', 'time', `17 0d ${ascii('260101006000Z')}`],
    ['a leap second', 'time', `17 0d ${ascii('261231235960Z')}`],
    ['another type', 'time', `16 0d ${ascii('260101000000Z')}`],
  ];
  it.each(rows)('%s', (_what, kind, hex) => {
    expect(refused(() => reads[kind](reader(hex)))).toBe(true);
  });

  it('trailing bytes', () => {
    const r = reader('0401aa 00');
    r.octetString('x');
    expect(refused(() => r.finish('x'))).toBe(true);
  });

  it('nesting without end', () => {
    let nested = der(0x30);
    for (let depth = 0; depth < 30; depth++) nested = der(0x30, nested);
    const dive = (r: DerReader): void => {
      if (!r.done) dive(r.enter(0x30, 'x'));
    };
    expect(refused(() => dive(new DerReader(nested)))).toBe(true);
  });
});

describe('the writer', () => {
  it('writes the shortest form', () => {
    expect(toHex(der(0x04, new Uint8Array(127)).subarray(0, 2))).toBe('047f');
    expect(toHex(der(0x04, new Uint8Array(128)).subarray(0, 3))).toBe('048180');
    expect(toHex(der(0x04, new Uint8Array(255)).subarray(0, 3))).toBe('0481ff');
    expect(toHex(der(0x04, new Uint8Array(256)).subarray(0, 4))).toBe('04820100');
    expect(() => der(0x04, new Uint8Array(65_536))).toThrow(RangeError);
  });

  it('integers, booleans, bit lists, sets, texts', () => {
    expect(toHex(derInteger(Uint8Array.of()))).toBe('020100');
    expect(toHex(derInteger(Uint8Array.of(0, 0)))).toBe('020100');
    expect(toHex(derInteger(Uint8Array.of(0, 0, 0x80)))).toBe('02020080');
    expect(toHex(derInteger(Uint8Array.of(0, 0x7f)))).toBe('02017f');
    expect(toHex(derBoolean(true)) + toHex(derBoolean(false))).toBe('0101ff010100');
    expect([0, 1, 0b101, 0x80, 0x1ff].map((mask) => toHex(derNamedBits(mask)))).toEqual([
      '030100',
      '03020780',
      '030205a0',
      '03020001',
      '030307ff80',
    ]);
    expect(toHex(derSetOf(Uint8Array.of(5, 1, 9), Uint8Array.of(4, 1, 9), Uint8Array.of(4, 1)))).toBe(
      '3108040104010905010 9'.replace(' ', ''),
    );
    expect(toHex(derText('MASH-1'))).toBe('13064d4153482d31');
    expect(toHex(derText('Süd_'))).toBe('0c0553c3bc645f');
    expect(() => derOid('1.-2')).toThrow(RangeError);
    expect(() => derOid('1')).toThrow(RangeError);
    expect(() => derTime(253_402_300_800)).toThrow(RangeError);
    expect(() => derTime(-700_000_000)).toThrow(RangeError);
  });

  it('what it writes the reader reads back', () => {
    for (const oid of ['0.0', '1.39', '2.40', '2.999.1', '1.3.6.1.4.1.99999.128.16384', '2.5.29.35', '2.1.562949953421311'])
      expect(new DerReader(derOid(oid)).oid('x')).toBe(oid);
    for (let mask = 1; mask < 0x200; mask++) expect(new DerReader(derNamedBits(mask)).namedBits('x')).toBe(mask);
    for (const unix of [0, -1, 2_524_607_999, 2_524_608_000, 1_795_305_600, 253_402_300_799])
      expect(new DerReader(derTime(unix)).time('x')).toBe(unix);
  });
});

describe('the calendar', () => {
  it('agrees with Date on 20,000 seconds of the years 0 to 9999, both ways', () => {
    const random = new SeededEntropy(9);
    const first = Math.floor(new Date('0000-03-01T00:00:00Z').getTime() / 1000);
    const last = Date.UTC(9999, 11, 31, 23, 59, 59) / 1000;
    for (let i = 0; i < 20_000; i++) {
      const unix = first + Math.floor(((random.below(0x1_0000_0000) * 0x10_0000 + random.below(0x10_0000)) / 2 ** 52) * (last - first));
      const date = new Date(unix * 1000);
      const civil = {
        year: date.getUTCFullYear(),
        month: date.getUTCMonth() + 1,
        day: date.getUTCDate(),
        hour: date.getUTCHours(),
        minute: date.getUTCMinutes(),
        second: date.getUTCSeconds(),
      };
      expect(civilFromUnix(unix)).toEqual(civil);
      expect(unixFromCivil(civil)).toBe(unix);
    }
  });

  it('every day from 1970 to 2110', () => {
    for (let day = 0; day < 51_135; day++) {
      const date = new Date(day * 86_400_000);
      const civil = civilFromUnix(day * 86_400);
      if (civil.day !== date.getUTCDate() || civil.month !== date.getUTCMonth() + 1 || civil.year !== date.getUTCFullYear())
        expect(civil).toBe(date.toISOString());
      if (unixFromCivil(civil) !== day * 86_400) expect(unixFromCivil(civil)).toBe(day * 86_400);
    }
    expect(civilFromUnix(51_134 * 86_400)).toMatchObject({ year: 2110, month: 1, day: 1 });
  });

  it('fractions are dropped, also before 1970', () => {
    expect(civilFromUnix(0.9)).toMatchObject({ year: 1970, second: 0 });
    expect(civilFromUnix(-0.1)).toMatchObject({ year: 1969, month: 12, day: 31, hour: 23, minute: 59, second: 59 });
  });
});
