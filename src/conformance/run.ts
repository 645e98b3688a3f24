import { formatTarget } from '../controller/addresses.js';
import { ControllerError } from '../controller/errors.js';
import type { DialectName } from '../dialect/messages.js';
import { NetworkError } from '../errors.js';
import type { Timer } from '../platform.js';
import type { Bench } from './bench.js';
import { type BlackBoxCase, type ConformanceCase, isBlackBox, type Outcome } from './case.js';
import { Trial } from './trial.js';
import { NotApplicable, Refuted, SetupFailed } from './verdict.js';

export interface RunOptions {
  readonly bench: Bench;
  readonly cases: readonly ConformanceCase[];
  readonly dialects: readonly DialectName[];
  /** Cases that wait longer by design are skipped, seconds. */
  readonly patience: number;
  /** After a failure the device has so long to answer again, ms; then the rest is not tried: it would take hours. Default 10 s. */
  readonly comeback?: number;
  readonly onOutcome?: (outcome: Outcome) => void;
}

/** A case that has not ended so long after the seconds that it waits by design has failed, ms: a device that hangs hangs no report. */
const OVERDUE = 60_000;
const COMEBACK = 10_000;

/**
 * Runs the cases one after the other, each from an open window and without zones of the one before. Those after the death of the device fail.
 * Rejects with SetupFailed where nothing can be run.
 */
export async function runCases({
  bench,
  cases,
  dialects,
  patience,
  comeback = COMEBACK,
  onOutcome,
}: RunOptions): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const done = (outcome: Outcome): void => {
    outcomes.push(outcome);
    onOutcome?.(outcome);
  };
  const absent = cases.some(isBlackBox) ? await bench.absence(0) : undefined;
  if (absent !== undefined) throw new SetupFailed(`nobody answers at ${formatTarget(bench.target)}: ${absent}`);
  let gone: string | undefined;
  for (const entry of cases) {
    const { id, title, source } = entry;
    const head = { id, title, source };
    if (!isBlackBox(entry)) {
      done({ ...head, dialect: undefined, pics: [], verdict: 'skip', reason: entry.elsewhere, steps: [], took: 0 });
      continue;
    }
    for (const dialect of dialectsOf(entry, dialects)) {
      const shown = entry.dialects === 'any' ? undefined : dialect;
      const obstacle = obstacleOf(bench, entry, patience);
      if (obstacle !== undefined)
        done({ ...head, dialect: shown, pics: entry.pics, verdict: 'skip', reason: obstacle, steps: [], took: 0 });
      else if (gone !== undefined) done({ ...head, dialect: shown, pics: entry.pics, verdict: 'fail', reason: gone, steps: [], took: 0 });
      else {
        const outcome: Outcome = { ...head, dialect: shown, pics: entry.pics, ...(await tried(bench, entry, dialect)) };
        done(outcome);
        const silence = outcome.verdict === 'fail' ? await bench.absence(comeback) : undefined;
        if (silence !== undefined) gone = `not tried: the device has not answered since ${id}: ${silence}`;
      }
    }
  }
  return outcomes;
}

function dialectsOf(entry: BlackBoxCase, dialects: readonly DialectName[]): readonly DialectName[] {
  if (entry.dialects === 'each') return dialects;
  if (entry.dialects === 'any') return dialects.slice(0, 1);
  return dialects.filter((dialect) => dialect === entry.dialects);
}

/** Why it is not even begun. */
function obstacleOf(bench: Bench, entry: BlackBoxCase, patience: number): string | undefined {
  const { pics, options } = bench;
  const denied = entry.pics.find((code) => !pics.claims(code));
  if (denied !== undefined) return `the PICS does not claim ${denied}`;
  if (entry.needs.includes('enableKey') && options.enableKey === undefined) return 'it needs TestControl: --enable-key';
  if (entry.needs.includes('multicast') && bench.watch?.usable !== true) return 'no interface here can be used for multicast';
  if (entry.needs.includes('restart') && options.restart === undefined) return 'it needs --restart-command';
  const seconds = entry.waits?.(pics) ?? 0;
  return seconds > patience ? `it waits ${seconds} s: --long` : undefined;
}

async function tried(
  bench: Bench,
  entry: BlackBoxCase,
  dialect: DialectName,
): Promise<Pick<Outcome, 'verdict' | 'reason' | 'steps' | 'took'>> {
  const trial = new Trial(bench, dialect);
  const begun = bench.clock.now();
  const result = async (): Promise<Pick<Outcome, 'verdict' | 'reason'>> => {
    try {
      const opened = entry.needs.includes('window') ? bench.begin() : Promise.resolve();
      const work = opened.then(() => entry.run(trial));
      return { verdict: 'pass', reason: await inTime(bench, entry.waits?.(bench.pics) ?? 0, work) };
    } catch (error) {
      if (error instanceof NotApplicable) return { verdict: 'skip', reason: error.message };
      if (error instanceof Refuted || error instanceof ControllerError || error instanceof NetworkError)
        return { verdict: 'fail', reason: error.message };
      throw error;
    } finally {
      await inTime(bench, 0, bench.cleanUp()).catch((error: unknown) => {
        if (!(error instanceof Refuted)) throw error;
        trial.step(`clean-up: ${error.message}`);
      });
    }
  };
  const { verdict, reason } = await result();
  return { verdict, reason, steps: trial.steps, took: Math.round(bench.clock.now() - begun) };
}

/** Rejects with Refuted when the work is overdue; what it still waits for ends with its connections. */
async function inTime<T>(bench: Bench, seconds: number, work: Promise<T>): Promise<T> {
  const limit = seconds * 1000 + OVERDUE;
  let timer: Timer | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = bench.clock.after('case', limit, () => reject(new Refuted(`not at its end after ${limit / 1000} s`)));
  });
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    timer?.cancel();
  }
}
