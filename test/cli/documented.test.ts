import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConformanceArguments } from '../../src/cli/conformance-options.js';
import { parseDeviceArguments } from '../../src/cli/device-arguments.js';
import { PROFILE_TABLE } from '../../src/profile.js';
import { ROOT } from '../world/project.js';
import { lonely, run } from './line.js';

const document = (name: string): string => readFileSync(path.join(ROOT, 'docs', name), 'utf8');
const optionsOf = (help: string): readonly string[] =>
  help.match(/^ {2}(?:-\w, )?--[a-z-]+/gm)?.map((line) => line.replace(/.*--/, '--')) ?? [];
const commandsOf = (help: string): readonly string[] =>
  (/^Commands:\n((?: .*\n)+)/m.exec(help)?.[1] ?? '').match(/^ {2}[a-z]\S*/gm)?.map((line) => line.trim()) ?? [];

function missing(words: readonly string[], text: string): readonly string[] {
  // A whole word: `--port` is not told by `--port-mapping`.
  return words.filter((word) => !['--help', 'help'].includes(word) && !new RegExp(`(^|[\\s\`|([])${word}(?![\\w-])`, 'm').test(text));
}

function device(...argv: readonly string[]): string {
  let text = '';
  parseDeviceArguments(
    argv,
    false,
    (more) => {
      text += more;
    },
    () => {},
  );
  return text;
}

describe('every option and command of each program stands in a document', () => {
  it('mash-device: docs/device.md, docs/protocol-log.md', () => {
    const text = document('device.md') + document('protocol-log.md');
    const help = device('--help');
    expect(optionsOf(help).length).toBeGreaterThan(15);
    expect(missing([...optionsOf(help), ...commandsOf(help)], text)).toEqual([]);
    for (const command of [['log', 'view'], ['log', 'filter'], ['log', 'stats'], ['log', 'export'], ['pics'], ['settings']])
      expect([command, missing(optionsOf(device(...command, '--help')), text)]).toEqual([command, []]);
  });

  it('mash-controller: docs/controller.md', async () => {
    const text = document('controller.md');
    const { out } = await run(['--help'], lonely);
    const commands = commandsOf(out);
    expect(commands.length).toBeGreaterThan(15);
    expect(missing([...optionsOf(out), ...commands], text)).toEqual([]);
    const inner = ['open', 'join', 'list', 'revoke'].map((name) => ['admin', name]);
    for (const command of [...commands.filter((name) => name !== 'help').map((name) => [name]), ...inner]) {
      const help = (await run([...command, '--help'], lonely)).out;
      expect(help).toContain(`mash-controller ${command.join(' ')}`);
      expect([command, missing(optionsOf(help), text)]).toEqual([command, []]);
    }
  });

  it('mash-conformance: docs/conformance.md', () => {
    let help = '';
    parseConformanceArguments(
      ['--help'],
      (text) => {
        help += text;
      },
      () => {},
    );
    expect(optionsOf(help).length).toBeGreaterThan(10);
    expect(missing(optionsOf(help), document('conformance.md'))).toEqual([]);
  });

  it('every setting of the profile is described by `mash-device settings`, and the document names none that is not there', () => {
    for (const entry of Object.values(PROFILE_TABLE)) expect(entry.about).not.toBe('');
    const named = document('device.md').match(/`[a-z]+\.[a-zA-Z0-9]+(?==|`)/g) ?? [];
    const known = Object.keys(PROFILE_TABLE);
    expect(named.map((name) => name.slice(1)).filter((name) => !known.includes(name) && !/\.(bin|mlog|log)$/.test(name))).toEqual([]);
  });
});
