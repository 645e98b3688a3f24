#!/usr/bin/env node
import { spawn } from 'node:child_process';
import { open, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { Bench } from '../conformance/bench.js';
import { type ConformanceCase, isBlackBox } from '../conformance/case.js';
import { Claims } from '../conformance/claims.js';
import { counts, line, type ReportHead, report, summary } from '../conformance/report.js';
import { runCases } from '../conformance/run.js';
import { SetupFailed } from '../conformance/verdict.js';
import { formatTarget } from '../controller/addresses.js';
import { ControllerError } from '../controller/errors.js';
import { nodeTransport } from '../controller/tls-client.js';
import { ConfigError, NetworkError } from '../errors.js';
import { nodeClock } from '../node/clock.js';
import { nodeCrypto } from '../node/crypto.js';
import { nodeMulticast } from '../node/multicast.js';
import { parsePics } from '../pics/format.js';
import { type ConformanceArguments, parseConformanceArguments } from './conformance-options.js';

const ExitCode = { OK: 0, FAILED: 1, USAGE: 2, SETUP: 3 } as const;
/** Seconds that a case may wait without --long. */
const PATIENCE = 15;

const print = (text: string): void => void process.stdout.write(text);
const complain = (text: string): void => void process.stderr.write(text);

async function run(options: ConformanceArguments): Promise<number> {
  const { target, openCommand, restartCommand, format, out } = options;
  const clock = nodeClock();
  if (out !== undefined) await checkWritable(out);
  const given = options.pics === undefined ? undefined : parsePics(await readText(options.pics));
  const bench = new Bench({
    target,
    commissioningPort: options.commissioningPort,
    code: options.code,
    discriminator: options.discriminator,
    pics: new Claims(options.profile, given),
    enableKey: options.enableKey,
    crypto: nodeCrypto(),
    clock,
    transport: nodeTransport(clock),
    multicast: nodeMulticast({ interfaces: options.interfaces, denied: options.deniedInterfaces, ipv4: options.profile === 'reference' }),
    openWindow: openCommand === undefined ? undefined : () => shell(openCommand),
    restart: restartCommand === undefined ? undefined : () => shell(restartCommand),
  });
  const head: ReportHead = {
    target: formatTarget(target),
    profile: options.profile,
    dialects: options.dialects,
    pics: options.pics,
    at: new Date().toISOString(),
    host: hostname(),
  };
  await bench.start();
  stopOnSignal(bench);
  try {
    const progress = format === 'text' && out === undefined ? print : complain;
    const { cases, dialects, long } = options;
    const outcomes = await runCases({
      bench,
      cases,
      dialects,
      patience: long ? Number.POSITIVE_INFINITY : PATIENCE,
      onOutcome: (outcome) => progress(`${line(outcome)}\n`),
    });
    if (out !== undefined) await writeFile(out, report(format, head, outcomes));
    else if (format !== 'text') print(report(format, head, outcomes));
    progress(`\n${summary(head, outcomes)}\n`);
    return counts(outcomes).fail === 0 ? ExitCode.OK : ExitCode.FAILED;
  } finally {
    await bench.close();
  }
}

/** Whoever breaks off a run leaves no zone of it on the device. A second signal ends at once. */
function stopOnSignal(bench: Bench): void {
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ] as const)
    process.once(signal, () => {
      complain('mash-conformance: broken off; the zones of this run are removed\n');
      void bench.close().finally(() => process.exit(128 + number));
    });
}

/** Before the run, which may take an hour; a report that is there stays until the new one is. */
async function checkWritable(file: string): Promise<void> {
  try {
    await (await open(file, 'a')).close();
  } catch (error) {
    throw new ConfigError('--out', `${file}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new ConfigError('--pics', `${file}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}

/** Rejects with SetupFailed where the command fails. */
function shell(command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, { shell: true, stdio: ['ignore', 'ignore', 'inherit'] });
    child.once('error', (error) => reject(new SetupFailed(`${command}: ${error.message}`)));
    child.once('exit', (code) => {
      if (code === 0) resolve();
      else reject(new SetupFailed(`${command}: exit code ${code}`));
    });
  });
}

function listed(cases: readonly ConformanceCase[]): void {
  for (const entry of cases) {
    const condition = isBlackBox(entry) ? `${entry.dialects}; ${entry.pics.join(', ')}` : `not from outside: ${entry.elsewhere}`;
    print(`${entry.id.padEnd(22)} ${entry.title}\n${' '.repeat(23)}${entry.source}; ${condition}\n`);
  }
}

// `conformance | head` ends the pipe: nobody reads on.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? ExitCode.FAILED);
  throw error;
});

const parsed = parseConformanceArguments(process.argv.slice(2), print, complain);
if (parsed.kind === 'exit') process.exitCode = parsed.code;
else if (parsed.kind === 'list') {
  if (parsed.format === 'json') print(`${JSON.stringify(parsed.cases, undefined, 2)}\n`);
  else listed(parsed.cases);
} else {
  void run(parsed.options).then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      const setup = error instanceof SetupFailed || error instanceof ControllerError || error instanceof NetworkError;
      const told = setup || error instanceof ConfigError;
      complain(
        `mash-conformance: ${told ? (error as Error).message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
      );
      process.exitCode = error instanceof ConfigError ? ExitCode.USAGE : setup ? ExitCode.SETUP : ExitCode.FAILED;
    },
  );
}
