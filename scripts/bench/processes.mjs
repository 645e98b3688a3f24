// Starting, watching and asking the processes of a benchmark.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
/** The flags with which `npm start`, images and services run the device; the floor gets the same. */
export const FLAGS = ['--v8-pool-size=1', `--openssl-config=${path.join(ROOT, 'scripts/openssl.cnf')}`];

const running = new Set();

/** Whatever ends this run ends what it started. */
export function killAll() {
  for (const child of running) child.kill('SIGKILL');
}

/** Spawns node, resolves when a line of its output satisfies `ready`: {process, milliseconds, value}. */
export function start(args, ready, flags = FLAGS) {
  const began = performance.now();
  const child = spawn(process.execPath, [...flags, ...args], { stdio: ['ignore', 'pipe', 'inherit'], cwd: ROOT });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return new Promise((resolve, reject) => {
    let text = '';
    const late = setTimeout(() => reject(new Error(`not ready in 10 s: ${args.join(' ')}`)), 10_000);
    child.stdout.on('data', (chunk) => {
      text += chunk;
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
        const line = text.slice(0, end);
        text = text.slice(end + 1);
        const value = ready(line);
        if (value !== undefined) {
          clearTimeout(late);
          resolve({ child, milliseconds: performance.now() - began, value });
        }
      }
    });
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${args.join(' ')}`)));
  });
}

/** A client that keeps zones connected; end it with `kill`. */
export function holder(job, script = 'client.mjs') {
  const child = spawn(process.execPath, [path.join(ROOT, 'scripts/bench', script)], { stdio: ['pipe', 'pipe', 'inherit'] });
  running.add(child);
  child.once('exit', () => running.delete(child));
  child.stdin.end(JSON.stringify({ kind: 'hold', ...job }));
  return new Promise((resolve, reject) => {
    child.stdout.once('data', () => resolve(child));
    child.once('exit', () => reject(new Error('the holding client ended')));
  });
}

export async function stop({ child }) {
  if (child.exitCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await exited;
}

/** Resident memory in MiB. */
export function residentMiB({ child }) {
  const status = fs.readFileSync(`/proc/${child.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}

/** One job of the measuring client. */
export function client(job, script = 'client.mjs') {
  const child = spawn(process.execPath, ['--v8-pool-size=1', path.join(ROOT, 'scripts/bench', script)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify(job));
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    child.once('exit', (code) => (code === 0 ? resolve(JSON.parse(text)) : reject(new Error(`the client ended with ${code}`))));
  });
}

export function temporaryFolder() {
  return fs.mkdtempSync(path.join(os.tmpdir(), 'mash-bench-'));
}

export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

export const median = (values) => percentile(values, 0.5);
