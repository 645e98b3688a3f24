import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { TextProcess } from './foreign.js';
import { type Namespace, type NamespaceOptions, NamespaceProcess, runInNamespace, withNamespaces } from './netns.js';
import { program } from './project.js';

export const CODE = '20220211';
export const QR = `MASH:1:1234:${CODE}:0x1234:0x0001`;

/** What a command of `mash-controller` came to. */
export interface Finished {
  readonly code: number | null;
  readonly json: Record<string, unknown>;
  readonly progress: string;
}

/** A line of the browser in `test/node/fixtures/mdns-controller.ts`, which tells what it sees. */
export interface Sighting {
  readonly event?: 'started' | 'added' | 'updated' | 'removed';
  readonly type?: string;
  readonly instance?: string;
  readonly host?: string;
  readonly port?: number;
  /** Text, scope, interface. */
  readonly addresses?: readonly (readonly [string, string, string])[];
}

/** The programs as they are shipped, in namespaces: one device and one controller's zone unless named otherwise. */
export class NetWorld {
  readonly folder: string;
  readonly #device: string;
  readonly #controller: string;
  readonly #children = new Set<ChildProcess>();

  private constructor(folder: string, device: string, controller: string) {
    this.folder = folder;
    this.#device = device;
    this.#controller = controller;
  }

  /** Everything that was started in it ends with it. */
  static async run(
    count: number,
    body: (world: NetWorld, namespaces: readonly [Namespace, Namespace, ...Namespace[]]) => Promise<void>,
    options: NamespaceOptions = {},
  ): Promise<void> {
    const folder = await mkdtemp(path.join(tmpdir(), 'mash-net-'));
    const world = new NetWorld(folder, await program('mash-device'), await program('mash-controller'));
    try {
      await withNamespaces(
        count,
        async (namespaces) => {
          try {
            await body(world, namespaces as unknown as readonly [Namespace, Namespace, ...Namespace[]]);
          } finally {
            await world.#end();
          }
        },
        options,
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Starts a program in a namespace; it ends with the world. */
  spawn(namespace: Namespace, program: string, args: readonly string[]): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', namespace.name, program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#children.add(child);
    return child;
  }

  /** A device of this state folder, with discriminator 1234; resolves when it has started. Its lines are its log. */
  async device(namespace: Namespace, state = 'device', more: readonly string[] = []): Promise<NamespaceProcess> {
    const args = ['--state', path.join(this.folder, state), '--setup-code', CODE, '--discriminator', '1234', '--log-format', 'json'];
    const child = new NamespaceProcess(
      spawn('ip', ['netns', 'exec', namespace.name, process.execPath, this.#device, ...args, ...more]),
      namespace,
    );
    await child.heard<{ message: string }>((line) => line.message === 'started');
    return child;
  }

  /** Runs one command of `mash-controller` to its end. */
  async controller(namespace: Namespace, ...args: readonly string[]): Promise<Finished> {
    return this.controllerOf('zone', namespace, ...args);
  }

  async controllerOf(zone: string, namespace: Namespace, ...args: readonly string[]): Promise<Finished> {
    const all = [this.#controller, '--zone', path.join(this.folder, zone), '--json', ...args];
    const child = this.spawn(namespace, process.execPath, all);
    let output = '';
    let progress = '';
    child.stdout?.on('data', (chunk) => {
      output += String(chunk);
    });
    child.stderr?.on('data', (chunk) => {
      progress += String(chunk);
    });
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    this.#children.delete(child);
    return { code, json: output === '' ? {} : (JSON.parse(output) as Record<string, unknown>), progress };
  }

  /** A command that goes on: what it prints and logs, line by line; ends with the disposal. */
  following(namespace: Namespace, ...args: readonly string[]): TextProcess {
    const both = ['ip', 'netns', 'exec', namespace.name, 'sh', '-c', 'exec "$@" 2>&1', 'sh'];
    return new TextProcess([...both, process.execPath, this.#controller, '--zone', path.join(this.folder, 'zone'), ...args]);
  }

  /** A browser that tells every change of what it sees, on these interfaces alone. */
  async watcher(namespace: Namespace, ...interfaces: readonly string[]): Promise<NamespaceProcess> {
    const child = await runInNamespace(namespace, new URL('../node/fixtures/mdns-controller.ts', import.meta.url), ...interfaces);
    await child.heard<Sighting>((line) => line.event === 'started');
    return child;
  }

  async #end(): Promise<void> {
    await Promise.all(
      [...this.#children].map((child) => {
        if (child.exitCode !== null || child.signalCode !== null) return undefined;
        child.kill('SIGKILL');
        return new Promise((resolve) => child.once('close', resolve));
      }),
    );
  }
}

/** Waits for a sighting whose addresses, without scopes, fit. */
export function addressesThat(test: (texts: readonly string[]) => boolean): (line: Sighting) => boolean {
  return ({ event, addresses }) => (event === 'added' || event === 'updated') && test((addresses ?? []).map(([text]) => text));
}
