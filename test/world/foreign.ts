import { type ChildProcessByStdio, execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { type Namespace, namespacesRefused } from './netns.js';
import { ROOT } from './project.js';

/** Why a test that needs these programs cannot run; undefined when it can. */
export function refused(...programs: readonly string[]): string | undefined {
  if (namespacesRefused !== undefined) return namespacesRefused;
  const missing = programs.filter((program) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0);
  return missing.length === 0 ? undefined : `not installed: ${missing.join(', ')}`;
}

/** A program in a namespace that speaks text, one line after the other. */
export class TextProcess implements AsyncDisposable {
  readonly pid: number;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #lines: string[] = [];
  #errors = '';
  #wake: () => void = () => undefined;
  #ended = false;

  constructor(command: readonly string[]) {
    const [program = '', ...args] = command;
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    this.pid = child.pid ?? 0;
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#lines.push(line);
      this.#wake();
    });
    child.stderr.on('data', (data) => {
      this.#errors += String(data);
    });
    child.once('exit', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** Takes the first line that matches, waiting for it at most `limit` ms; those before it stay. */
  async heard(matches: (line: string) => boolean, limit = 60_000): Promise<string> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#wake();
    }, limit);
    try {
      for (;;) {
        const at = this.#lines.findIndex(matches);
        if (at >= 0) return this.#lines.splice(at, 1)[0] as string;
        if (late || this.#ended) throw new Error(`not heard; said: ${JSON.stringify(this.#lines)} ${this.#errors}`);
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** What it said so far does not count. */
  forget(): void {
    this.#lines.length = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // SIGTERM first: tshark ends its dumpcap then.
    const hard = setTimeout(() => this.#child.kill('SIGKILL'), 2000);
    this.#child.kill('SIGTERM');
    if (!this.#ended) await new Promise<void>((resolve) => this.#child.once('exit', () => resolve()));
    clearTimeout(hard);
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
  }
}

const AVAHI = `
mount -t tmpfs tmpfs /run && mkdir -p /run/dbus /run/avahi-daemon || exit 1
dbus-daemon --system --fork || exit 1
avahi-daemon --no-drop-root --no-chroot --no-rlimits --no-proc-title -f /dev/null 2>&1
`;

/** Avahi in a namespace: a /run and a bus of its own, and process numbers of its own, so that nothing outlives it. */
export async function avahi(namespace: Namespace): Promise<TextProcess> {
  const isolated = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const daemon = new TextProcess(['ip', 'netns', 'exec', namespace.name, ...isolated, 'sh', '-c', AVAHI]);
  await daemon.heard((line) => line.includes('Server startup complete'));
  return daemon;
}

/** Runs one of Avahi's tools beside its daemon. */
export function beside(daemon: TextProcess, ...command: readonly string[]): TextProcess {
  return new TextProcess(['nsenter', '-t', String(daemon.pid), '--mount', '--net', 'stdbuf', '-oL', ...command]);
}

/** systemd-resolved and what it needs, unpacked and never installed: its package would redirect the machine's own /etc/resolv.conf. */
const RESOLVED = path.join(ROOT, 'build/foreign');

/** Why systemd-resolved cannot run; undefined when it can. */
export function resolvedRefused(): string | undefined {
  const without = refused('dbus-daemon', 'unshare', 'nsenter');
  if (without !== undefined) return without;
  return existsSync(`${RESOLVED}/lib/systemd/systemd-resolved`) ? undefined : 'not in build/foreign, .ci/run brings it';
}

/** A /run, a bus and a user of its own; everything of it is gone with its process. */
const RESOLVED_SCRIPT = `
mount -t tmpfs tmpfs /run && mkdir -p /run/dbus /run/systemd/resolve /run/systemd/resolved.conf.d || exit 1
cat >/run/bus.conf <<END
<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth><policy context="default">
<allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>
END
for file in passwd group; do cp /etc/$file /run/$file; done
echo 'systemd-resolve:x:990:990::/:/usr/sbin/nologin' >>/run/passwd
echo 'systemd-resolve:x:990:' >>/run/group
for file in passwd group; do mount --bind /run/$file /etc/$file || exit 1; done
printf '[Resolve]\\nMulticastDNS=yes\\nLLMNR=no\\nDNS=\\nFallbackDNS=\\nDNSStubListener=no\\n' >/run/systemd/resolved.conf.d/mdns.conf
chown 990:990 /run/systemd/resolve
dbus-daemon --config-file=/run/bus.conf --fork || exit 1
"$RESOLVED/lib/systemd/systemd-resolved" 2>&1 &
until "$RESOLVED/usr/bin/resolvectl" mdns mash0 yes 2>/dev/null; do sleep 0.1; done
echo ready
wait
`;

/** systemd-resolved in a namespace, with Multicast DNS on its interface. */
export async function resolved(namespace: Namespace): Promise<TextProcess> {
  const isolated = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const daemon = new TextProcess([
    'ip',
    'netns',
    'exec',
    namespace.name,
    ...RESOLVED_ENVIRONMENT,
    ...isolated,
    'sh',
    '-c',
    RESOLVED_SCRIPT,
  ]);
  await daemon.heard((line) => line === 'ready');
  return daemon;
}

const RESOLVED_ENVIRONMENT = [
  'env',
  `RESOLVED=${RESOLVED}`,
  `LD_LIBRARY_PATH=${RESOLVED}/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/systemd`,
];

/** One question to it: what it says, undefined when it knows nothing. */
export async function resolvectl(daemon: TextProcess, ...args: readonly string[]): Promise<string | undefined> {
  const inside = ['-t', String(daemon.pid), '--mount', '--net', ...RESOLVED_ENVIRONMENT, `${RESOLVED}/usr/bin/resolvectl`, '--no-pager'];
  return promisify(execFile)('nsenter', [...inside, ...args]).then(
    ({ stdout }) => stdout,
    () => undefined,
  );
}
