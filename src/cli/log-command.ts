import { readFile, writeFile } from 'node:fs/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { ConfigError } from '../errors.js';
import { decodeLog, encodeEntry, LOG_KINDS, type LogKind } from '../protocol-log/index.js';
import { type LogQuery, matches, type ReadEntry, readEntries, statistics } from '../protocol-log/query.js';
import { entryJson, entryText, statisticsText } from './log-text.js';

interface QueryOptions {
  readonly kind?: readonly LogKind[];
  readonly connection?: readonly number[];
  readonly direction?: 'in' | 'out';
  readonly type?: readonly string[];
  readonly since?: number;
  readonly until?: number;
  readonly text?: string;
}

const EXAMPLES = `
Examples:
  mash-device log view run.mlog --connection 3
  mash-device log view run.mlog --kind state --text failsafe
  mash-device log filter run.mlog --type invoke --out invokes.mlog
  mash-device log stats run.mlog --json
  mash-device log export run.mlog --json > run.jsonl`;

/** `mash-device log …`: reads what \`--protocol-log\` wrote. \`choose\` gets the work of the command that was given. */
export function logCommand(
  choose: (work: () => Promise<void>) => void,
  print: (text: string) => void,
  warn: (text: string) => void,
): Command {
  const command = new Command('log').description('read a protocol log').addHelpText('after', EXAMPLES);
  const load = async (file: string, options: QueryOptions): Promise<{ entries: readonly ReadEntry[]; torn: number }> => {
    const { entries, torn } = decodeLog(await contents(file));
    if (torn > 0) warn(`mash-device: ${file}: the last ${torn} bytes are no whole entry\n`);
    const query = queryOf(options);
    return { entries: readEntries(entries).filter((entry) => matches(entry, query)), torn };
  };
  const sub = (name: string, text: string): Command => withQuery(command.command(name).description(text).argument('<file>'));
  sub('view', 'print entries, one a line').action((file: string, options: QueryOptions) =>
    choose(async () => {
      for (const entry of (await load(file, options)).entries) print(`${entryText(entry)}\n`);
    }),
  );
  sub('filter', 'write some of the entries into another log')
    .requiredOption('--out <file>', 'the new log')
    .action((file: string, options: QueryOptions & { readonly out: string }) =>
      choose(async () => {
        const { entries } = await load(file, options);
        const bytes = Buffer.concat(entries.map(({ entry }) => encodeEntry(entry)));
        await writeFile(options.out, bytes, { flag: 'wx', mode: 0o600 }).catch((error: Error) => {
          throw new ConfigError('--out', error.message);
        });
        print(`${entries.length} entries written to ${options.out}\n`);
      }),
    );
  sub('stats', 'count frames, bytes, types and the time that answers took')
    .option('--json', 'as one JSON value')
    .action((file: string, options: QueryOptions & { readonly json?: boolean }) =>
      choose(async () => {
        const { entries, torn } = await load(file, options);
        const found = statistics(entries, torn);
        print(options.json === true ? `${JSON.stringify(found)}\n` : `${statisticsText(found)}\n`);
      }),
    );
  sub('export', 'print entries in another form')
    .requiredOption('--json', 'as JSON, one entry a line')
    .action((file: string, options: QueryOptions) =>
      choose(async () => {
        for (const entry of (await load(file, options)).entries) print(`${JSON.stringify(entryJson(entry))}\n`);
      }),
    );
  return command;
}

function withQuery(command: Command): Command {
  return command
    .addOption(new Option('--kind <kinds>', `of ${LOG_KINDS.join(', ')}; with commas`).argParser(kinds))
    .option('--connection <numbers>', 'of these connections; with commas', numbers)
    .addOption(new Option('--direction <direction>', 'frames and packets of one direction').choices(['in', 'out']))
    .option('--type <types>', 'frames of these types: read, response, notification, pase_x …; with commas', list)
    .option('--since <time>', 'from then on: ISO 8601, or Unix seconds', time)
    .option('--until <time>', 'until then', time)
    .option('--text <text>', 'entries with this text in them');
}

function queryOf({ kind, connection, direction, type, since, until, text }: QueryOptions): LogQuery {
  return {
    ...(kind === undefined ? {} : { kinds: kind }),
    ...(connection === undefined ? {} : { connections: connection }),
    ...(direction === undefined ? {} : { direction }),
    ...(type === undefined ? {} : { types: type }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(text === undefined ? {} : { text }),
  };
}

async function contents(file: string): Promise<Uint8Array> {
  try {
    return Uint8Array.from(await readFile(file));
  } catch (error) {
    throw new ConfigError(file, (error as Error).message);
  }
}

function list(text: string): readonly string[] {
  return text.split(',').map((item) => item.trim());
}

function kinds(text: string): readonly LogKind[] {
  return list(text).map((item) => {
    const kind = LOG_KINDS.find((known) => known === item);
    if (kind === undefined) throw new InvalidArgumentError(`'${item}' is none of ${LOG_KINDS.join(', ')}.`);
    return kind;
  });
}

function numbers(text: string): readonly number[] {
  return list(text).map((item) => {
    if (!/^\d{1,9}$/.test(item)) throw new InvalidArgumentError(`'${item}' is no number of a connection.`);
    return Number(item);
  });
}

function time(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text);
  if (Number.isNaN(value)) throw new InvalidArgumentError('A time is due: 2026-11-25T16:00:00Z, or Unix seconds.');
  return value;
}
