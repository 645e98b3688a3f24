import { type ChildProcessWithoutNullStreams, execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import { type Plugin, rollup } from 'rollup';
import ts from 'typescript';
import { afterAll } from 'vitest';

/** Network namespaces of Linux: real sockets on links that exist for one test alone. Needs root and iproute2. */
export interface Namespace {
  readonly name: string;
  /** The same in every namespace; in none of the kinds that are skipped by default. */
  readonly interfaceName: 'mash0';
  readonly ula: string;
  readonly global: string;
  readonly ipv4: string;
  /** Of a second link, where the namespaces have two. */
  readonly second: { readonly interfaceName: 'mash1'; readonly ula: string; readonly global: string };
  /** Where the other ends are. */
  readonly hub: string;
}

export interface NamespaceOptions {
  /** Links that all namespaces share: `mash0`, and `mash1`. */
  readonly links?: 1 | 2;
  /** Duplicate address detection as in a real network: an address is tentative for a second or two. Default: off. */
  readonly detection?: boolean;
  /** How many of the namespaces start with their interfaces down. */
  readonly down?: readonly number[];
}

/** Why namespaces cannot be made here; undefined when they can. For the names of tests that are skipped. */
export const namespacesRefused: string | undefined = tryNamespace();

let made = 0;

/** Makes `count` namespaces on one link or two, runs `body`, ends what it started in them and takes them away. */
export async function withNamespaces<T>(
  count: number,
  body: (namespaces: readonly Namespace[]) => Promise<T>,
  options: NamespaceOptions = {},
): Promise<T> {
  const prefix = `mash-${process.pid}-${made++}`;
  const hub = `${prefix}-hub`;
  const namespaces: Namespace[] = [];
  const links = Array.from({ length: options.links ?? 1 }, (_, link) => link);
  try {
    await ip('netns', 'add', hub);
    for (const link of links) {
      // Snooping would learn the memberships too late for the first packets.
      await ip('-n', hub, 'link', 'add', `hub${link}`, 'type', 'bridge', 'mcast_snooping', '0');
      await ip('-n', hub, 'link', 'set', `hub${link}`, 'up');
    }
    for (let i = 1; i <= count; i++) {
      const namespace: Namespace = {
        name: `${prefix}-${i}`,
        interfaceName: 'mash0',
        ula: `fd77:1::${i}`,
        global: `2001:db8:77::${i}`,
        ipv4: `10.77.0.${i}`,
        second: { interfaceName: 'mash1', ula: `fd77:2::${i}`, global: `2001:db8:78::${i}` },
        hub,
      };
      namespaces.push(namespace);
      await ip('netns', 'add', namespace.name);
      await ip('-n', namespace.name, 'link', 'set', 'lo', 'up');
      for (const link of links) await attach(namespace, link, options.detection ?? false);
      if (options.down?.includes(i) === true) continue;
      for (const link of links) await up(namespace, link);
    }
    return await body(namespaces);
  } finally {
    for (const namespace of namespaces) await Promise.all([...(running.get(namespace.name) ?? [])].map((child) => child.stop()));
    for (const name of [...namespaces.map((namespace) => namespace.name), hub]) await ip('netns', 'del', name).catch(() => undefined);
  }
}

async function attach(namespace: Namespace, link: number, detection: boolean): Promise<void> {
  const { name, hub } = namespace;
  const port = portOf(namespace, link);
  await ip('link', 'add', `mash${link}`, 'netns', name, 'type', 'veth', 'peer', 'name', port, 'netns', hub);
  // Without duplicate address detection an address is usable at once; an address given by hand survives its link going down, as a router's would.
  const settings = ['all', 'default', `mash${link}`].flatMap((where) => [
    `net.ipv6.conf.${where}.keep_addr_on_down=1`,
    ...(detection ? [] : [`net.ipv6.conf.${where}.accept_dad=0`]),
  ]);
  await ip('netns', 'exec', name, 'sysctl', '-qw', ...settings);
  await ip('-n', hub, 'link', 'set', port, 'master', `hub${link}`, 'up');
}

/** Puts an interface up, with the addresses that it is to have. */
export async function up(namespace: Namespace, link: number): Promise<void> {
  const { name, ula, global, ipv4, second } = namespace;
  const dev = `mash${link}`;
  await ip('-n', name, 'link', 'set', dev, 'up');
  if (link === 0) await ip('-n', name, 'addr', 'add', `${ipv4}/24`, 'dev', dev);
  for (const address of link === 0 ? [ula, global] : [second.ula, second.global])
    await ip('-n', name, 'addr', 'add', `${address}/64`, 'dev', dev, 'nodad');
}

/** The interface of the first link is pulled out of the machine and put in again: the same hardware address, another number. */
export async function replug(namespace: Namespace): Promise<void> {
  const { name } = namespace;
  const address = /link\/ether (\S+)/.exec(await ip('-n', name, 'link', 'show', 'mash0'))?.[1] as string;
  await ip('-n', name, 'link', 'del', 'mash0');
  await attach(namespace, 0, false);
  await ip('-n', name, 'link', 'set', 'mash0', 'address', address);
  await up(namespace, 0);
}

/** Takes the cable of an interface out, or puts it in. */
export async function setCarrier(namespace: Namespace, link: number, state: 'up' | 'down'): Promise<void> {
  await ip('-n', namespace.hub, 'link', 'set', portOf(namespace, link), state);
}

function portOf({ name }: Namespace, link: number): string {
  return `port${name.split('-').at(-1)}${link === 0 ? '' : `b`}`;
}

/** Runs `ip` with these arguments; rejects with what it wrote to stderr. */
export async function ip(...args: readonly string[]): Promise<string> {
  return (await promisify(execFile)('ip', [...args])).stdout;
}

const running = new Map<string, Set<NamespaceProcess>>();

/** A script that runs in a namespace and speaks JSON, one value a line. */
export class NamespaceProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #exited: Promise<number | null>;
  readonly #lines: unknown[] = [];
  readonly #waiting = new Set<() => void>();
  #errors = '';

  /** Ends with the namespace. */
  constructor(child: ChildProcessWithoutNullStreams, namespace: Namespace) {
    this.#child = child;
    running.set(namespace.name, (running.get(namespace.name) ?? new Set()).add(this));
    this.#exited = new Promise((resolve) => child.once('close', resolve));
    child.stderr.on('data', (data) => {
      this.#errors += String(data);
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#lines.push(JSON.parse(line));
      for (const wake of [...this.#waiting]) wake();
    });
    child.once('close', () => {
      for (const wake of [...this.#waiting]) wake();
    });
  }

  /** Writes one line to its standard input. */
  tell(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** Takes the first line that matches out of what was said, waiting for it if need be. Rejects when the process ends or `timeout` ms pass. */
  async heard<T>(matches: (line: T) => boolean, timeout = 60_000): Promise<T> {
    const deadline = Date.now() + timeout;
    for (;;) {
      const index = this.#lines.findIndex((line) => matches(line as T));
      if (index >= 0) return this.#lines.splice(index, 1)[0] as T;
      const left = deadline - Date.now();
      if (left <= 0 || this.#child.exitCode !== null) throw new Error(`not heard; said: ${JSON.stringify(this.#lines)} ${this.#errors}`);
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          this.#waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, left);
        this.#waiting.add(wake);
      });
    }
  }

  /** Of the program itself: `ip netns exec` replaces itself by it. */
  get pid(): number {
    return this.#child.pid as number;
  }

  /** What it said so far does not count. */
  forget(): void {
    this.#lines.length = 0;
  }

  /** What was said and not yet taken. */
  get unheard(): readonly unknown[] {
    return this.#lines;
  }

  /** Resolves with the exit code; null when a signal ended it. */
  exited(): Promise<number | null> {
    return this.#exited;
  }

  /** SIGTERM, after two seconds SIGKILL. Resolves when the process is gone. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const hard = setTimeout(() => this.#child.kill('SIGKILL'), 2000);
    await this.#exited;
    clearTimeout(hard);
  }
}

const bundles = new Map<string, Promise<string>>();
const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

/** Starts a TypeScript file of the project in a namespace. It is bundled first, so that a fresh clone needs no build. */
export async function runInNamespace(namespace: Namespace, entry: URL, ...args: readonly string[]): Promise<NamespaceProcess> {
  const path = fileURLToPath(entry);
  const bundle = bundles.get(path) ?? bundleScript(path);
  bundles.set(path, bundle);
  return new NamespaceProcess(spawn('ip', ['netns', 'exec', namespace.name, process.execPath, await bundle, ...args]), namespace);
}

/** Starts a file of plain JavaScript in a namespace, with the packages of the project. */
export function runScript(namespace: Namespace, entry: URL, ...args: readonly string[]): NamespaceProcess {
  return new NamespaceProcess(spawn('ip', ['netns', 'exec', namespace.name, process.execPath, fileURLToPath(entry), ...args]), namespace);
}

/** The link-local address of `mash0`. */
export async function linkLocalOf({ name }: Namespace): Promise<string> {
  const [, address = ''] = /inet6 (fe80:\S+)\/64/.exec(await ip('-n', name, 'addr', 'show', 'dev', 'mash0', 'scope', 'link')) ?? [];
  return address;
}

/** One self-contained file in a temporary folder, which goes with the test file. */
async function bundleScript(entry: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mash-test-'));
  folders.push(folder);
  const file = join(folder, 'script.mjs');
  const plugins = [typescriptSources(), nodeResolve({ exportConditions: ['node'] })];
  const build = await rollup({ input: entry, external: [/^node:/, '@achingbrain/nat-port-mapper'], plugins });
  await build.write({ file, format: 'es', inlineDynamicImports: true, sourcemap: 'inline' });
  await build.close();
  return file;
}

/** Takes the types away; what is imported as `.js` is the `.ts` file beside it. */
function typescriptSources(): Plugin {
  return {
    name: 'typescript-sources',
    resolveId(source, importer) {
      if (importer === undefined || !source.startsWith('.') || !source.endsWith('.js')) return null;
      const file = join(importer, '..', `${source.slice(0, -3)}.ts`);
      return existsSync(file) ? file : null;
    },
    transform(code, id) {
      if (!id.endsWith('.ts')) return null;
      const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, sourceMap: true };
      const { outputText, sourceMapText } = ts.transpileModule(code, { compilerOptions, fileName: id });
      return { code: outputText, map: sourceMapText ?? null };
    },
  };
}

function tryNamespace(): string | undefined {
  const name = `mash-${process.pid}-try`;
  const { error, status, stderr } = spawnSync('ip', ['netns', 'add', name], { encoding: 'utf8' });
  if (error !== undefined) return `ip: ${error.message}`;
  if (status !== 0) return `ip netns: ${stderr.trim()}`;
  const up = spawnSync('ip', ['netns', 'exec', name, 'ip', 'link', 'add', 'try0', 'type', 'veth', 'peer', 'name', 'try1'], {
    encoding: 'utf8',
  });
  spawnSync('ip', ['netns', 'del', name]);
  return up.status === 0 ? undefined : `ip netns exec: ${up.stderr.trim()}`;
}
