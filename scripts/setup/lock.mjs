import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { say } from './run.mjs';

const POLL = 100;

/** A holder that has not ended after this long, in milliseconds, is gone, whatever process has its number now. */
const LONGEST = 600_000;

/** Runs `work` while no other process runs anything under the same lock file; waits for the others first. */
export async function withLock(file, work) {
  mkdirSync(path.dirname(file), { recursive: true });
  for (let waiting = false; !take(file); waiting = true) {
    if (!waiting) say('waiting for another process that is preparing this clone');
    await sleep(POLL);
    if (abandoned(file)) retire(file);
  }
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function take(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  }
}

function abandoned(file) {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    const age = Date.now() - statSync(file).mtimeMs;
    // Empty: its holder is about to write its number.
    return age > LONGEST || (pid === 0 ? age > 1000 : !alive(pid));
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return false;
  }
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Of several processes that see the same abandoned lock one wins the rename. */
function retire(file) {
  const grave = `${file}.${process.pid}`;
  try {
    renameSync(file, grave);
    rmSync(grave);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
}
