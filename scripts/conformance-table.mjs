// The table of docs/conformance.md: every test case of the specification, the tests here that carry its id, and what the runner found.
//   node scripts/conformance-table.mjs            writes it, from the reports that `npm test` left in build/
//   node scripts/conformance-table.mjs --check    fails where it is not complete or not current
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '..');
const SPECIFICATION = path.join(ROOT, '../shared/spec');
const PAGE = path.join(ROOT, 'docs/conformance.md');
const MARK = '<!-- What follows is written by scripts/conformance-table.mjs. -->';
const ID = /\bTC-[A-Z0-9]+(?:-[A-Z0-9]+)*-\d+\b/g;
const COLUMNS = ['draft', 'reference'].flatMap((profile) => ['draft', 'reference'].map((dialect) => ({ profile, dialect })));

/** Ids of the specification's own tables, in its order; undefined where it is not beside the project. */
function specified() {
  if (!existsSync(SPECIFICATION)) return undefined;
  const ids = new Set();
  for (const name of readdirSync(SPECIFICATION)
    .filter((name) => name.endsWith('.md'))
    .sort())
    for (const line of read(SPECIFICATION, name).split('\n')) if (line.startsWith('| TC-')) ids.add(line.match(ID)[0]);
  return [...ids];
}

/** Test files by the ids that the names of their tests carry. */
function tests() {
  const files = new Map();
  const listed = readdirSync(path.join(ROOT, 'test'), { recursive: true }).map(String);
  for (const name of listed.filter((name) => name.endsWith('.test.ts') && !name.startsWith('conformance-runner')).sort())
    for (const line of read(ROOT, 'test', name).split('\n')) {
      if (!/\b(it|describe)\b|^\s*['"`]TC-/.test(line)) continue;
      for (const id of idsOf(line)) files.set(id, (files.get(id) ?? new Set()).add(name));
    }
  return files;
}

/** Ids of a test's name; `TC-MDNS-REC-1…4` are four. */
function idsOf(line) {
  const ranges = [...line.matchAll(/\b(TC-[A-Z0-9-]+-)(\d+)…(\d+)/g)];
  const spanned = ranges.flatMap(([, stem, from, to]) => Array.from({ length: to - from + 1 }, (_, i) => `${stem}${Number(from) + i}`));
  return new Set([...(line.match(ID) ?? []), ...spanned]);
}

/** Of the last `npm test`; undefined where it left none. */
function report(profile) {
  const file = path.join(ROOT, `build/conformance-${profile}.json`);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).cases : undefined;
}

function runnerCases() {
  return JSON.parse(execFileSync(process.execPath, [path.join(ROOT, 'bundles/mash-conformance.start.cjs'), '--list', '--format', 'json']));
}

/** `pass`, `fail`, `skip`; `–` where the case is not for this dialect, or not for a runner. */
function verdict(cases, id, dialect) {
  const found = cases?.find((entry) => entry.id === id && (entry.dialect ?? dialect) === dialect);
  return found === undefined || found.steps === undefined ? '–' : found.verdict;
}

function rows(ids, runner, files, reports) {
  return ids.map((id) => {
    const entry = runner.find((candidate) => candidate.id === id);
    const where = [...(files.get(id) ?? [])].map((name) => `\`${name}\``).join(', ') || '–';
    const results = COLUMNS.map(({ profile, dialect }) => (entry?.elsewhere === undefined ? verdict(reports[profile], id, dialect) : '–'));
    return [id, entry?.title.replaceAll('<', '\\<') ?? '–', where, entry === undefined ? '–' : (entry.elsewhere ?? 'runner'), ...results];
  });
}

function table(list) {
  const head = [
    'case',
    'what',
    'tests here, in `test/`',
    'from outside',
    ...COLUMNS.map(({ profile, dialect }) => `${profile} × ${dialect}`),
  ];
  return [head, head.map(() => '---'), ...list].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function sections(text) {
  const at = text.indexOf(MARK);
  if (at < 0) throw new Error(`docs/conformance.md has no line '${MARK}'`);
  return { prose: text.slice(0, at + MARK.length), written: text.slice(at + MARK.length) };
}

/** Cells of each row, by id. */
function parsed(text) {
  const lines = text.split('\n').filter((line) => line.startsWith('| TC-'));
  return new Map(lines.map((line) => line.slice(2, -2).split(' | ')).map((cells) => [cells[0], cells]));
}

function read(...where) {
  return readFileSync(path.join(...where), 'utf8');
}

const { prose, written } = sections(read(PAGE));
const runner = runnerCases();
const files = tests();
const reports = { draft: report('draft'), reference: report('reference') };
const before = parsed(written);
const ids = specified();
if (ids === undefined) console.log('the specification (../shared/spec) is not here: completeness is judged by the ids of the table');
const wanted =
  ids ??
  [...before.keys()].filter(
    (id) => /-\d+$/.test(id) && !runner.some((entry) => entry.id === id && entry.source.startsWith('reference-behaviour')),
  );
const own = runner.filter(({ id }) => !wanted.includes(id)).map(({ id }) => id);
const list = [rows(wanted, runner, files, reports), rows(own, runner, files, reports)];

if (process.argv[2] === '--check') {
  const problems = [];
  for (const [id, what, where, outside, ...results] of list.flat()) {
    const row = before.get(id);
    if (where === '–' && outside !== 'runner') problems.push(`${id} is in no test and in no case of the runner`);
    else if (row === undefined) problems.push(`${id} has no row`);
    else if ([what, where, outside].some((cell, i) => row[i + 1] !== cell)) problems.push(`${id}: its row is not current`);
    else
      for (const [i, result] of results.entries()) {
        // What was skipped here may pass where there is multicast; a report that is not there says nothing.
        const says = reports[COLUMNS[i].profile] !== undefined && result !== 'skip' && result !== row[i + 4];
        if (says)
          problems.push(`${id}, ${COLUMNS[i].profile} × ${COLUMNS[i].dialect}: '${row[i + 4]}' stands there, '${result}' was found`);
      }
  }
  for (const id of before.keys()) if (!list.flat().some((row) => row[0] === id)) problems.push(`${id} has a row and is nowhere else`);
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) console.error('node scripts/conformance-table.mjs writes the table anew');
  else console.log(`${list.flat().length} cases: complete and current`);
  process.exitCode = problems.length === 0 ? 0 : 1;
} else {
  for (const profile of ['draft', 'reference'])
    if (reports[profile] === undefined)
      throw new Error(`build/conformance-${profile}.json is missing: 'npx vitest run test/conformance-runner/programs.test.ts' makes it`);
  const text = `\n\n## The specification's cases\n\n${table(list[0])}\n\n## Further cases of the runner\n\n${table(list[1])}\n`;
  writeFileSync(PAGE, prose + text);
  console.log(`docs/conformance.md: ${list[0].length} cases of the specification, ${list[1].length} more`);
}
