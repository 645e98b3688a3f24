import { describe, expect, it } from 'vitest';
import { formatPics, formatPicsYaml, type PicsDocument, parsePics } from '../../src/pics/format.js';

const DOCUMENT: PicsDocument = {
  head: ['MASH PICS File'],
  sections: [
    {
      title: 'Some',
      lines: [
        { code: 'MASH.S', value: 1, about: 'a device' },
        { code: 'MASH.S.VERSION', value: '1.0', about: 'a version, no number' },
        { code: 'MASH.S.E01', value: 'EV_CHARGER', about: 'bare' },
        { code: 'MASH.S.COMM.PASE_GROUP', value: 'P-256', about: 'in quotes' },
        { code: 'MASH.S.X', value: '12', about: 'a text that looks like a number' },
        { code: 'MASH.C.CONN.JITTER_FACTOR', value: 0.25, about: 'a part' },
      ],
    },
  ],
};

describe('PICS files (pics-format §3)', () => {
  it('are read as they were written', () => {
    const text = formatPics(DOCUMENT);
    const pics = parsePics(text);
    for (const { code, value } of DOCUMENT.sections.flatMap(({ lines }) => lines)) expect(pics.get(code)).toBe(value);
    expect(pics.size).toBe(6);
    expect(text).toContain('MASH.S.COMM.PASE_GROUP="P-256"');
    expect(text).toContain('MASH.S.E01=EV_CHARGER ');
    expect(text).toContain('MASH.S.X="12"');
  });

  it('§3.2: comments, empty lines, CRLF, any case of a code', () => {
    const pics = parsePics('# head\r\n\r\nMASH.S.E01.CTRL.C01.Rsp=1   # SetLimit\r\nmash.s.sub.coalesce="last#value" # text\r\n');
    expect(pics.get('mash.S.e01.ctrl.c01.RSP')).toBe(1);
    expect(pics.get('MASH.S.SUB.COALESCE')).toBe('last#value');
    expect(pics.get('MASH.S.ZONE')).toBeUndefined();
    expect([pics.supports('MASH.S.SUB.COALESCE'), pics.supports('MASH.S.ZONE')]).toEqual([true, false]);
  });

  it.each([
    ['MASH.S', 'CODE=value'],
    ['=1', 'CODE=value'],
    ['MASH.X.TRANS=1', 'CODE=value'],
    ['MASH.S..TRANS=1', 'CODE=value'],
    ['MASH.S=', 'missing'],
    ['MASH.S="1', 'quotation mark'],
    ['MASH.S="1" 2', 'quotation mark'],
    ['MASH.S=1\nmash.s=0', '1 and 0'],
  ])('%j is refused, naming its line', (text, reason) => {
    expect(() => parsePics(text)).toThrow(reason);
    expect(() => parsePics(text)).toThrow(/^PICS line \d: /);
  });

  it('have a YAML form with the same codes and values', () => {
    const yaml = formatPicsYaml(DOCUMENT);
    expect(yaml).toContain('MASH.S.VERSION: "1.0"');
    expect(yaml).toContain('MASH.C.CONN.JITTER_FACTOR: 0.25');
  });
});
