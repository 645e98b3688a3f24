import { expect, it } from 'vitest';
import { parseConformanceArguments } from '../../src/cli/conformance-options.js';
import type { Outcome } from '../../src/conformance/case.js';
import { CASES } from '../../src/conformance/cases/index.js';
import { Claims } from '../../src/conformance/claims.js';
import { type ReportHead, report } from '../../src/conformance/report.js';
import { parsePics } from '../../src/pics/format.js';

const HEAD: ReportHead = {
  target: '[::1]:8443',
  profile: 'draft',
  dialects: ['draft'],
  pics: undefined,
  at: '2026-11-25T12:00:00.000Z',
  host: 'lab-1',
};
const about = { title: 'A <title> & more', source: 'commissioning-pase §10', pics: ['MASH.S.COMM'], took: 1500 };
const OUTCOMES: readonly Outcome[] = [
  { ...about, id: 'TC-X-1', dialect: 'draft', verdict: 'pass', reason: 'seen', steps: ['one'] },
  { ...about, id: 'TC-X-2', dialect: undefined, verdict: 'fail', reason: '1 is due, seen was "2"\u0007', steps: ['one', 'two'] },
  { ...about, id: 'TC-X-3', dialect: 'draft', verdict: 'skip', reason: 'no multicast here', steps: [] },
];

it('text: a line a case, the steps of a failure, and the counts', () => {
  const lines = report('text', HEAD, OUTCOMES).split('\n');
  expect(lines[0]).toMatch(/^PASS {2}TC-X-1 \(draft\) +A <title> & more: seen$/);
  expect(lines.slice(2, 5)).toEqual(['        1. one', '        2. two', '        commissioning-pase §10']);
  expect(lines.at(-2)).toBe('[::1]:8443, profile draft, dialect draft: 1 passed, 1 failed, 1 skipped');
});

it('json: everything, by name', () => {
  const read = JSON.parse(report('json', HEAD, OUTCOMES));
  expect(read).toMatchObject({ target: '[::1]:8443', counts: { pass: 1, fail: 1, skip: 1 } });
  expect(read.cases[1]).toMatchObject({ id: 'TC-X-2', dialect: null, verdict: 'fail', steps: ['one', 'two'], pics: ['MASH.S.COMM'] });
});

it('junit: escaped, without characters that XML has not', () => {
  const xml = report('junit', HEAD, OUTCOMES);
  expect(xml).toContain('tests="3" failures="1" errors="0" skipped="1" time="4.500"');
  expect(xml).toContain('<testcase classname="TC-X.draft" name="TC-X-1: A &lt;title&gt; &amp; more" time="1.500"/>');
  expect(xml).toContain('<failure type="refuted" message="1 is due, seen was &quot;2&quot;">one\ntwo\ncommissioning-pase §10</failure>');
  expect(xml).toContain('<skipped message="no multicast here"/>');
});

it('junit: what the schema of Ant wants, in its order: time without zone, host, properties, cases, both outputs', () => {
  const xml = report('junit', HEAD, OUTCOMES);
  expect(xml).toContain(' timestamp="2026-11-25T12:00:00" hostname="lab-1">');
  const elements = [...xml.matchAll(/^ {2}<([a-z-]+)/gm)].map(([, name]) => name);
  expect(elements).toEqual(['properties', 'testcase', 'testcase', 'testcase', 'system-out', 'system-err']);
  expect(xml).toContain('<property name="target" value="[::1]:8443"/>');
});

it('what the PICS denies or leaves out is not claimed; without one everything is; numbers are whole', () => {
  const given = new Claims('draft', parsePics('MASH.S.COMM=0\nMASH.S.ZONE=1\n'));
  expect(() => new Claims('draft', parsePics('MASH.S.ZONE.MAX_ZONES="five"\n'))).toThrow("a whole number is due, not 'five'");
  expect(['MASH.S.COMM', 'MASH.S.CERT', 'MASH.S.ZONE'].map((code) => given.claims(code))).toEqual([false, false, true]);
  expect(new Claims('draft').claims('MASH.S.CERT')).toBe(true);
  expect((['draft', 'reference'] as const).map((profile) => new Claims(profile).number('MASH.S.ZONE.MAX_ZONES'))).toEqual([5, 2]);
});

it('each id stands once in the list of cases', () => {
  const ids = CASES.map(({ id }) => id);
  expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
});

const parse = (...argv: readonly string[]) => {
  let said = '';
  const parsed = parseConformanceArguments(
    argv,
    () => {},
    (text) => {
      said += text;
    },
  );
  return { parsed, said };
};
const DUE = ['--target', '[::1]:8443', '--setup-code', 'MASH:1:1234:20220211'];

it('arguments: address, code, dialects and cases', () => {
  const { parsed } = parse(...DUE, '--dialect', 'reference', '--filter', 'TC-PASE', '--long');
  expect(parsed).toMatchObject({
    kind: 'run',
    options: { target: { host: '::1', port: 8443 }, discriminator: 1234, dialects: ['reference'], long: true },
  });
  if (parsed.kind === 'run') expect(parsed.options.cases.every(({ id }) => id.startsWith('TC-PASE'))).toBe(true);
  expect(parse('--list').parsed).toMatchObject({ kind: 'list', cases: CASES });
});

it.each([
  [['--setup-code', '20220211'], '--target: an address is due'],
  [['--target', '[::1]:8443'], "--setup-code: the device's setup code is due"],
  [['--target', 'fe80::1', '--setup-code', '20220211'], '--target:'],
  [['--target', '[fe80::1]:8443', '--setup-code', '20220211'], 'needs its interface'],
  [[...DUE, '--filter', 'TC-NOTHING'], "--filter: no case begins with 'TC-NOTHING'"],
  [[...DUE, '--commissioning-port', '70000'], 'A whole number of 0…65535'],
  [[...DUE, '--dialect', 'klingon'], 'Allowed choices'],
  [[...DUE, '--enable-key', 'secret'], '--enable-key: an enable key has 32 hexadecimal digits'],
  [[...DUE, '--enable-key', '0'.repeat(32)], '--enable-key: an enable key of zeros enables nothing'],
])('%j is refused with exit code 2', (argv, complaint) => {
  const { parsed, said } = parse(...argv);
  expect(parsed).toEqual({ kind: 'exit', code: 2 });
  expect(said).toContain(complaint);
});
