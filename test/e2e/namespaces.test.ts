import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Namespace, namespacesRefused, withNamespaces } from '../world/netns.js';
import { program } from '../world/project.js';

const CODE = '20220211';
const QR = `MASH:1:1234:${CODE}:0x1234:0x0001`;

interface Finished {
  readonly code: number | null;
  readonly json: Record<string, unknown>;
  readonly progress: string;
}

const children: ChildProcess[] = [];
let folder: string;
let deviceBundle: string;
let controllerBundle: string;
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

function inside(namespace: Namespace, args: readonly string[]): ChildProcess {
  const child = spawn('ip', ['netns', 'exec', namespace.name, process.execPath, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  return child;
}

/** The device's bundle; resolves with its process id once it accepts connections; it is announced a second later. */
async function device(namespace: Namespace, more: readonly string[] = []): Promise<{ child: ChildProcess; pid: number }> {
  const state = path.join(folder, 'device');
  const args = [
    '--state',
    state,
    '--setup-code',
    CODE,
    '--discriminator',
    '1234',
    '--interface',
    namespace.interfaceName,
    '--log-format',
    'json',
  ];
  const child = inside(namespace, [deviceBundle, ...args, ...more]);
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  for await (const line of lines) if ((JSON.parse(line) as { message: string }).message === 'started') break;
  // `ip netns exec` replaces itself by the program.
  return { child, pid: child.pid as number };
}

async function controller(namespace: Namespace, ...args: readonly string[]): Promise<Finished> {
  const child = inside(namespace, [
    controllerBundle,
    '--zone',
    path.join(folder, 'zone'),
    '--interface',
    namespace.interfaceName,
    '--json',
    ...args,
  ]);
  let output = '';
  let progress = '';
  child.stdout?.on('data', (chunk) => {
    output += String(chunk);
  });
  child.stderr?.on('data', (chunk) => {
    progress += String(chunk);
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, json: JSON.parse(output) as Record<string, unknown>, progress };
}

const title =
  namespacesRefused === undefined
    ? 'device and controller on one link, nothing but multicast between them'
    : `SKIPPED: ${namespacesRefused}`;

describe.skipIf(namespacesRefused !== undefined)(title, () => {
  beforeAll(async () => {
    deviceBundle = await program('mash-device');
    controllerBundle = await program('mash-controller');
  });

  it.each(['draft', 'reference'])(
    'TC-E2E-1, TC-E2E-4: %s dialect: discover, commission with the QR, read; kill -9, start again, read at once',
    async (dialect) => {
      folder = await mkdtemp(path.join(tmpdir(), 'mash-e2e-'));
      await withNamespaces(2, async ([left, right]) => {
        if (left === undefined || right === undefined) throw new Error('two namespaces are due');
        const first = await device(left);
        const commissioned = await controller(right, '--dialect', dialect, 'commission', QR);
        expect(commissioned.progress).not.toContain('error');
        expect(commissioned.code).toBe(0);
        expect(commissioned.progress).toMatch(/ms/);
        process.kill(first.pid, 'SIGKILL');
        await new Promise((resolve) => first.child.once('close', resolve));
        const second = await device(left);
        const read = await controller(right, 'read', '0/DeviceInfo/serialNumber');
        expect(read.code).toBe(0);
        expect(JSON.stringify(read.json)).toContain('SIM-EVSE-');
        expect(read.progress).not.toMatch(/pase/i);
        process.kill(second.pid, 'SIGTERM');
        const stopped = await new Promise<number | null>((resolve) => second.child.once('close', resolve));
        expect(stopped).toBe(0);
      });
    },
  );

  it('a wrong code gives exit code 4, TC-NOTFOUND-2 and TC-NOTFOUND-6 give 3; a second process on the same state is refused', async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'mash-e2e-'));
    await withNamespaces(2, async ([left, right]) => {
      if (left === undefined || right === undefined) throw new Error('two namespaces are due');
      await device(left);
      expect((await controller(right, 'commission', QR.replace(CODE, '20220212'))).code).toBe(4);
      const other = await controller(right, 'commission', QR.replace('1234', '1235'));
      expect(other).toMatchObject({ code: 3, json: { error: { code: 'DISCRIMINATOR_MISMATCH', retryAction: 'scan_qr' } } });
      // 37 s of looks in vain: the window may end meanwhile.
      expect(other.progress).toContain('its commissioning window may end soon');
      const twin = inside(left, [deviceBundle, '--state', path.join(folder, 'device'), '--port', '9443']);
      let complaint = '';
      twin.stderr?.on('data', (chunk) => {
        complaint += String(chunk);
      });
      expect(await new Promise<number | null>((resolve) => twin.once('close', resolve))).toBe(1);
      expect(complaint).toContain(path.join(folder, 'device'));
    });
  });
});
