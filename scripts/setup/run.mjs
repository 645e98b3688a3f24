import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const PARENT = process.ppid;
const PARENT_POLL = 200;

/** One line about what is done; on stderr, so that a program's own output stays its own. */
export function say(text) {
  process.stderr.write(`setup: ${text}\n`);
}

/** What ends the preparation, said without a stack trace. */
export class SetupError extends Error {}

/** Runs a script with this Node and resolves when it has succeeded. */
export async function runNode(what, script, args, options = {}) {
  const code = await exited(spawn(process.execPath, [script, ...args], { stdio: 'inherit', ...options }));
  if (code !== 0) throw new SetupError(`${what} failed (exit code ${code})`);
}

/** Runs this Node in the place of this process: its terminal, its signals, and at the end its exit code. */
export async function runThrough(args, options = {}) {
  const child = spawn(process.execPath, args, { stdio: 'inherit', ...options });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2']) process.on(signal, () => child.kill(signal));
  // npm signals the shell between it and this process, which dies of it and passes nothing on.
  const underNpm = process.env.npm_lifecycle_event !== undefined;
  const watch = setInterval(() => underNpm && process.ppid !== PARENT && child.kill('SIGTERM'), PARENT_POLL);
  return exited(child).finally(() => clearInterval(watch));
}

/** Seconds since `start` of performance.now(), for a line of text. */
export function seconds(start) {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}

/** The exit code, or for a signal what a shell makes of it. */
async function exited(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
}
