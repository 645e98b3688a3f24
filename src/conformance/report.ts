import type { Outcome } from './case.js';
import type { Verdict } from './verdict.js';

/** About which run a report is. */
export interface ReportHead {
  readonly target: string;
  readonly profile: string;
  readonly dialects: readonly string[];
  /** The file, where one was given. */
  readonly pics: string | undefined;
  /** RFC 3339, UTC. */
  readonly at: string;
  /** The machine that the runner ran on. */
  readonly host: string;
}

export type ReportFormat = 'text' | 'json' | 'junit';
export const REPORT_FORMATS: readonly ReportFormat[] = ['text', 'json', 'junit'];

export function report(format: ReportFormat, head: ReportHead, outcomes: readonly Outcome[]): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify({ ...head, counts: counts(outcomes), cases: outcomes.map(caseJson) }, undefined, 2)}\n`;
    case 'junit':
      return junit(head, outcomes);
    case 'text':
      return `${[...outcomes.map(line), '', summary(head, outcomes)].join('\n')}\n`;
  }
}

export function counts(outcomes: readonly Outcome[]): Readonly<Record<Verdict, number>> {
  const count = (verdict: Verdict): number => outcomes.filter((outcome) => outcome.verdict === verdict).length;
  return { pass: count('pass'), fail: count('fail'), skip: count('skip') };
}

/** One line, and for a failure the steps that led to it. */
export function line(outcome: Outcome): string {
  const { id, dialect, verdict, title, reason, steps } = outcome;
  const name = dialect === undefined ? id : `${id} (${dialect})`;
  const text = `${verdict.toUpperCase()}  ${name.padEnd(34)} ${title}: ${reason}`;
  return verdict === 'fail' ? [text, ...steps.map((step, i) => `        ${i + 1}. ${step}`), `        ${outcome.source}`].join('\n') : text;
}

export function summary(head: ReportHead, outcomes: readonly Outcome[]): string {
  const { pass, fail, skip } = counts(outcomes);
  return `${head.target}, profile ${head.profile}, dialect ${head.dialects.join(' and ')}: ${pass} passed, ${fail} failed, ${skip} skipped`;
}

function caseJson({ dialect, ...outcome }: Outcome): Record<string, unknown> {
  return { ...outcome, dialect: dialect ?? null };
}

/** `2026-11-25T12:00:00`, as the schema wants it. */
const SECONDS = 19;

/** One suite, valid by the schema of Ant's JUnit task, which the others are looser than. */
function junit(head: ReportHead, outcomes: readonly Outcome[]): string {
  const { fail, skip } = counts(outcomes);
  const seconds = (ms: number): string => (ms / 1000).toFixed(3);
  const total = outcomes.reduce((sum, { took }) => sum + took, 0);
  const suite = `MASH conformance of ${head.target}, profile ${head.profile}`;
  const properties = {
    target: head.target,
    profile: head.profile,
    dialects: head.dialects.join(' '),
    pics: head.pics ?? '',
    time: head.at,
  };
  const cases = outcomes.map((outcome) => {
    const { id, dialect, title, verdict, reason, took, steps } = outcome;
    const open = `  <testcase classname="${xml(chapter(id))}.${dialect ?? 'any'}" name="${xml(`${id}: ${title}`)}" time="${seconds(took)}"`;
    if (verdict === 'pass') return `${open}/>`;
    const inner =
      verdict === 'skip'
        ? `<skipped message="${xml(reason)}"/>`
        : `<failure type="refuted" message="${xml(reason)}">${xml([...steps, outcome.source].join('\n'))}</failure>`;
    return `${open}>${inner}</testcase>`;
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite name="${xml(suite)}" tests="${outcomes.length}" failures="${fail}" errors="0" skipped="${skip}" time="${seconds(total)}" timestamp="${head.at.slice(0, SECONDS)}" hostname="${xml(head.host)}">`,
    '  <properties>',
    ...Object.entries(properties).map(([name, value]) => `    <property name="${name}" value="${xml(value)}"/>`),
    '  </properties>',
    ...cases,
    '  <system-out/>',
    '  <system-err/>',
    '</testsuite>',
    '',
  ].join('\n');
}

/** `TC-CERT-VAL` of `TC-CERT-VAL-3`. */
function chapter(id: string): string {
  return id.replace(/-\d+$/, '');
}

function xml(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
  // XML 1.0 §2.2: of the control characters, only these three.
  return [...escaped].filter((character) => character >= ' ' || '\t\n\r'.includes(character)).join('');
}
