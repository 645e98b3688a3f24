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
}

/** Why namespaces cannot be made here; undefined when they can. For the names of tests that are skipped. */
export const namespacesRefused: string | undefined = tryNamespace();

let made = 0;

/** Makes `count` namespaces on one link, runs `body`, ends what it started in them and takes them away. */
export async function withNamespaces<T>(count: number, body: (namespaces: readonly Namespace[]) => Promise<T>): Promise<T> {
  const prefix = `mash-${process.pid}-${made++}`;
  const hub = `${prefix}-hub`;
  const namespaces: Namespace[] = [];
  try {
    await ip('netns', 'add', hub);
    // Snooping would learn the memberships too late for the first packets.
    await ip('-n', hub, 'link', 'add', 'hub', 'type', 'bridge', 'mcast_snooping', '0');
    await ip('-n', hub, 'link', 'set', 'hub', 'up');
    for (let i = 1; i <= count; i++) {
      const namespace = {
        name: `${prefix}-${i}`,
        interfaceName: 'mash0' as const,
        ula: `fd77:1::${i}`,
        global: `2001:db8:77::${i}`,
        ipv4: `10.77.0.${i}`,
      };
      namespaces.push(namespace);
      await attach(namespace, hub, `port${i}`);
    }
    return await body(namespaces);
  } finally {
    for (const namespace of namespaces) await Promise.all([...(running.get(namespace.name) ?? [])].map((child) => child.stop()));
    for (const name of [...namespaces.map((namespace) => namespace.name), hub]) await ip('netns', 'del', name).catch(() => undefined);
  }
}

async function attach(namespace: Namespace, hub: string, port: string): Promise<void> {
  const { name, interfaceName } = namespace;
  await ip('netns', 'add', name);
  await ip('link', 'add', interfaceName, 'netns', name, 'type', 'veth', 'peer', 'name', port, 'netns', hub);
  // Without duplicate address detection an address is usable at once.
  const settings = ['all', 'default', interfaceName].map((where) => `net.ipv6.conf.${where}.accept_dad=0`);
  await ip('netns', 'exec', name, 'sysctl', '-qw', ...settings);
  await ip('-n', hub, 'link', 'set', port, 'master', 'hub', 'up');
  await ip('-n', name, 'link', 'set', 'lo', 'up');
  await ip('-n', name, 'link', 'set', interfaceName, 'up');
  await ip('-n', name, 'addr', 'add', `${namespace.ipv4}/24`, 'dev', interfaceName);
  for (const address of [namespace.ula, namespace.global])
    await ip('-n', name, 'addr', 'add', `${address}/64`, 'dev', interfaceName, 'nodad');
}

/** Runs `ip` with these arguments; rejects with what it wrote to stderr. */
export async function ip(...args: readonly string[]): Promise<string> {
  return (await promisify(execFile)('ip', [...args])).stdout;
}

/** A script that runs in a namespace and speaks JSON, one value a line. */
export class NamespaceProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #exited: Promise<number | null>;
  readonly #lines: unknown[] = [];
  readonly #waiting = new Set<() => void>();
  #errors = '';

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
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
  async heard<T>(matches: (line: T) => boolean, timeout = 10_000): Promise<T> {
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

const running = new Map<string, Set<NamespaceProcess>>();
const bundles = new Map<string, Promise<string>>();
const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

/** Starts a TypeScript file of the project in a namespace. It is bundled first, so that a fresh clone needs no build. */
export async function runInNamespace(namespace: Namespace, entry: URL, ...args: readonly string[]): Promise<NamespaceProcess> {
  const path = fileURLToPath(entry);
  const bundle = bundles.get(path) ?? bundleScript(path);
  bundles.set(path, bundle);
  const child = new NamespaceProcess(spawn('ip', ['netns', 'exec', namespace.name, process.execPath, await bundle, ...args]));
  const others = running.get(namespace.name) ?? new Set();
  running.set(namespace.name, others.add(child));
  return child;
}

/** One self-contained file in a temporary folder, which goes with the test file. */
async function bundleScript(entry: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mash-test-'));
  folders.push(folder);
  const file = join(folder, 'script.mjs');
  const plugins = [typescriptSources(), nodeResolve({ exportConditions: ['node'] })];
  const build = await rollup({ input: entry, external: /^node:/, plugins });
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
