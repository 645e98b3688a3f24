import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { freePorts } from '../world/program.js';
import { bundle } from '../world/project.js';

const noScript = spawnSync('script', ['--version']).status === 0 ? undefined : 'there is no script (util-linux)';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'mash-hang-up-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function until(what: string, holds: () => boolean): Promise<void> {
  for (const deadline = performance.now() + 30_000; !holds(); await sleep(50))
    if (performance.now() > deadline) throw new Error(`not in time: ${what}`);
}

it.skipIf(noScript !== undefined)(
  `a terminal that is closed stops the device as q does: parts safe, state folder free${noScript === undefined ? '' : ` (skipped: ${noScript})`}`,
  { timeout: 300_000 },
  async () => {
    const program = await bundle('mash-device');
    const [operational, commissioning] = await freePorts(2);
    const state = path.join(folder, 'state');
    const log = path.join(folder, 'run.mlog');
    const ports = ['--port', String(operational), '--commissioning-port', String(commissioning)];
    const command = [process.execPath, program, '--state', state, ...ports, '--protocol-log', log].join(' ');
    const terminal = spawn('script', ['--quiet', '--flush', '--command', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] });
    let shown = '';
    terminal.stdout.on('data', (data) => {
      shown += String(data);
    });
    const logged = (): string => (existsSync(log) ? readFileSync(log, 'latin1') : '');
    await until('started', () => shown.includes('started') && logged().includes('started'));
    const locks = () => readdirSync(state).filter((name) => name.startsWith('lock.'));
    expect(locks()).toHaveLength(1);
    terminal.kill('SIGKILL');
    await until('the folder to be free', () => locks().length === 0);
    expect(logged()).toContain('commissioning window closed');
  },
);
