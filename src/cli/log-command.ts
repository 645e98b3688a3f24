import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { ConfigError } from '../errors.js';
import { encodeEntry, LOG_KINDS, type LogKind, LogReader } from '../protocol-log/index.js';
import { EntryReader, LogCounter, type LogQuery, matches, type ReadEntry } from '../protocol-log/query.js';
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
  const sub = (name: string, text: string): Command => withQuery(command.command(name).description(text).argument('<file>'));
  const read = (file: string, options: QueryOptions, take: (entry: ReadEntry) => void | Promise<void>): Promise<number> =>
    readLog(file, queryOf(options), take, warn);
  sub('view', 'print entries, one a line').action((file: string, options: QueryOptions) =>
    choose(async () => void (await read(file, options, (entry) => print(`${entryText(entry)}\n`)))),
  );
  sub('filter', 'write some of the entries into another log')
    .requiredOption('--out <file>', 'the new log')
    .action((file: string, options: QueryOptions & { readonly out: string }) =>
      choose(async () => {
        const count = await writeLog(options.out, (take) => read(file, options, take));
        print(`${count} entries written to ${options.out}\n`);
      }),
    );
  sub('stats', 'count frames, bytes, types and the time that answers took')
    .option('--json', 'as one JSON value')
    .action((file: string, options: QueryOptions & { readonly json?: boolean }) =>
      choose(async () => {
        const counter = new LogCounter();
        const found = counter.result(await read(file, options, (entry) => counter.add(entry)));
        print(options.json === true ? `${JSON.stringify(found)}\n` : `${statisticsText(found)}\n`);
      }),
    );
  sub('export', 'print entries in another form')
    .requiredOption('--json', 'as JSON, one entry a line')
    .action((file: string, options: QueryOptions) =>
      choose(async () => void (await read(file, options, (entry) => print(`${JSON.stringify(entryJson(entry))}\n`)))),
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

/** Gives each entry that is wanted to `take`, a piece of the file at a time; resolves with the bytes at its end that are no entry. */
async function readLog(
  file: string,
  query: LogQuery,
  take: (entry: ReadEntry) => void | Promise<void>,
  warn: (text: string) => void,
): Promise<number> {
  const log = new LogReader();
  const reader = new EntryReader();
  let any = false;
  for await (const piece of pieces(file))
    for (const entry of log.push(piece)) {
      any = true;
      const read = reader.read(entry);
      if (matches(read, query)) await take(read);
    }
  if (log.torn > 0 && !any) throw new ConfigError(file, 'no protocol log: it begins with no whole entry');
  if (log.torn > 0) warn(`mash-device: ${file}: the last ${log.torn} bytes are no whole entry\n`);
  return log.torn;
}

async function* pieces(file: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of createReadStream(file, { highWaterMark: 256 * 1024 })) yield Uint8Array.from(piece as Buffer);
  } catch (error) {
    throw new ConfigError(file, (error as Error).message);
  }
}

/** A new file, never one that is there; resolves with the number of entries. A run that fails leaves none behind. */
async function writeLog(out: string, read: (take: (entry: ReadEntry) => Promise<void>) => Promise<number>): Promise<number> {
  const told = (error: Error): never => {
    throw new ConfigError('--out', error.message);
  };
  const file = await open(out, 'wx', 0o600).catch(told);
  let count = 0;
  try {
    await read(async ({ entry }) => {
      await file.appendFile(encodeEntry(entry)).catch(told);
      count++;
    });
  } catch (error) {
    await rm(out, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  return count;
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
