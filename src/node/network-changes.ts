import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

/** iproute2's listener for address and link messages of the kernel. */
const MONITOR: readonly string[] = ['ip', '-o', 'monitor', 'address', 'link'];
/** Between looks where the kernel's messages are heard: for what they may have missed, ms. */
const SAFETY_INTERVAL = 30_000;
/** One change is several messages, ms. */
const GATHER = 50;
/** From the start until `ip` is, ms. */
const LISTEN_AFTER = 50;
const RESTART_FIRST = 1000;
const RESTART_MAXIMUM = 60_000;

export interface NetworkChangesOptions {
  /** Between looks where nothing is heard, ms. */
  readonly pollInterval: number;
  /** Program and arguments; every output of it is a change. Empty: polling alone. */
  readonly monitor?: readonly string[] | undefined;
}

/**
 * Says when the interfaces should be looked at: after messages of the kernel where `ip` is there to tell, else by the clock. The child is
 * started again when it ends, after 1…60 s; nothing of it can fail the process, and it keeps none alive.
 */
export class NetworkChanges {
  readonly #options: NetworkChangesOptions;
  readonly #onChange: () => void;
  #child: ChildProcessByStdio<null, Readable, null> | undefined;
  #listening = false;
  #backOff = RESTART_FIRST;
  #poll: NodeJS.Timeout | undefined;
  #gather: NodeJS.Timeout | undefined;
  #restart: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: NetworkChangesOptions, onChange: () => void) {
    this.#options = options;
    this.#onChange = onChange;
  }

  start(): void {
    // Another process is made when the device's own start is over.
    this.#restart = this.#timer(LISTEN_AFTER, () => this.#listen());
    this.#schedule();
  }

  /** Idempotent; no callback follows. */
  close(): void {
    this.#closed = true;
    for (const timer of [this.#poll, this.#gather, this.#restart]) clearTimeout(timer);
    this.#child?.kill();
  }

  #listen(): void {
    const [program, ...args] = this.#options.monitor ?? MONITOR;
    if (program === undefined) return;
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#child = child;
    child.unref();
    (child.stdout as Readable & { unref?(): void }).unref?.();
    child.once('spawn', () => {
      this.#listening = true;
      this.#schedule();
      // What changed before it listened.
      this.#gatherChanges();
    });
    child.stdout.on('data', () => {
      this.#backOff = RESTART_FIRST;
      this.#gatherChanges();
    });
    child.stdout.on('error', () => child.kill());
    // Not there, or not to be started: polling has to do.
    child.on('error', () => this.#stoppedListening());
    child.once('exit', () => {
      this.#stoppedListening();
      if (this.#closed) return;
      this.#restart = this.#timer(this.#backOff, () => this.#listen());
      this.#backOff = Math.min(2 * this.#backOff, RESTART_MAXIMUM);
    });
  }

  #gatherChanges(): void {
    this.#gather ??= this.#timer(GATHER, () => {
      this.#gather = undefined;
      this.#onChange();
    });
  }

  #stoppedListening(): void {
    this.#listening = false;
    this.#schedule();
  }

  #schedule(): void {
    clearTimeout(this.#poll);
    this.#poll = this.#timer(this.#listening ? SAFETY_INTERVAL : this.#options.pollInterval, () => {
      this.#schedule();
      this.#onChange();
    });
  }

  #timer(delay: number, callback: () => void): NodeJS.Timeout | undefined {
    if (this.#closed) return undefined;
    return setTimeout(callback, delay).unref();
  }
}
