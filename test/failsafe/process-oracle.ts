import type { ZoneRank } from '../../src/zones/resolution.js';

/** s; undefined: none. */
export interface ProcessRules {
  readonly reference: boolean;
  readonly minRun: number | undefined;
  readonly minPause: number | undefined;
  readonly maxPause: number | undefined;
}

export type Order =
  | { readonly name: 'pause'; readonly duration: number }
  | { readonly name: 'resume' | 'stop' }
  | { readonly name: 'cancelProcess'; readonly processId: number }
  | { readonly name: 'scheduleProcess'; readonly startsIn: number; readonly processId: number }
  | { readonly name: 'adjustStartTime'; readonly startsIn: number };

const STATES = ['NONE', 'AVAILABLE', 'SCHEDULED', 'RUNNING', 'PAUSED', 'COMPLETED', 'ABORTED'] as const;
type Name = (typeof STATES)[number];

/** features.md §2 word by word: from which states. */
const FROM: Readonly<Record<string, readonly Name[]>> = {
  offered: ['NONE', 'COMPLETED', 'ABORTED'],
  withdrawn: ['AVAILABLE'],
  demanded: ['NONE'],
  finished: ['RUNNING'],
  cleared: ['COMPLETED', 'ABORTED'],
  scheduleProcess: ['AVAILABLE', 'SCHEDULED'],
  adjustStartTime: ['SCHEDULED'],
  pause: ['RUNNING', 'PAUSED'],
  resume: ['PAUSED', 'RUNNING'],
  stop: ['SCHEDULED', 'RUNNING', 'PAUSED'],
  cancelProcess: ['AVAILABLE', 'SCHEDULED', 'RUNNING', 'PAUSED'],
};

/** One process, told by absolute times. Shares nothing with the runtime. */
export class ProcessOracle {
  name: Name = 'NONE';
  now = 0;
  readonly #rules: ProcessRules;
  #since = 0;
  #startAt = 0;
  #owner: ZoneRank | undefined;
  #pause: { readonly by: ZoneRank; readonly end: number; readonly timed: boolean } | undefined;

  constructor(rules: ProcessRules) {
    this.#rules = rules;
  }

  get state(): number {
    return STATES.indexOf(this.name);
  }

  /** By the device. */
  happens(event: string): void {
    if (!FROM[event]?.includes(this.name)) return;
    const next = { offered: 'AVAILABLE', demanded: 'RUNNING', finished: 'COMPLETED' } as const;
    if (event !== 'finished') this.#owner = undefined;
    this.#go(next[event as keyof typeof next] ?? 'NONE');
  }

  /** The car has left. */
  unplug(): void {
    this.#owner = undefined;
    this.#go('NONE');
  }

  /** What is answered: `done`, a status, or seconds to wait. */
  ask(by: ZoneRank, order: Order): string {
    const above = order.name === 'resume' ? this.#pause?.by : this.#owner;
    if (above !== undefined && above.priority < by.priority) return 'status 8';
    if ('processId' in order && order.processId !== 1) return 'status 11';
    const anywhere = this.#rules.reference && ['pause', 'resume', 'stop'].includes(order.name);
    if (!anywhere && !FROM[order.name]?.includes(this.name)) return 'status 11';
    const wait = this.#wait(order.name);
    if (wait > 0) return `wait ${wait}`;
    this.#obey(by, order);
    return 'done';
  }

  advance(milliseconds: number): void {
    const end = this.now + milliseconds;
    const due = this.name === 'SCHEDULED' ? this.#startAt : (this.#pause?.end ?? Number.POSITIVE_INFINITY);
    if (due <= end) {
      this.now = due;
      this.#go('RUNNING');
    }
    this.now = end;
  }

  /** features.md §4, timed Pause: own handshake. */
  connect(zone: ZoneRank): void {
    if (this.#pause?.by === zone && this.#pause.timed) this.#go('RUNNING');
  }

  /** features.md §4, own zone removed. */
  remove(zone: ZoneRank): void {
    if (this.#pause?.by === zone) this.#go('RUNNING');
    if (this.#owner === zone) this.#owner = undefined;
  }

  #wait(order: string): number {
    const { minRun = 0, minPause = 0 } = this.#rules;
    const lasted = (this.now - this.#since) / 1000;
    if (this.name === 'RUNNING' && (order === 'pause' || order === 'stop')) return Math.ceil(minRun - lasted);
    return this.name === 'PAUSED' && order === 'resume' ? Math.ceil(minPause - lasted) : 0;
  }

  #obey(by: ZoneRank, order: Order): void {
    if (order.name === 'scheduleProcess') this.#owner = by;
    if ('startsIn' in order) this.#start(order.startsIn);
    else if (order.name === 'pause') this.#hold(by, order.duration);
    else if (order.name !== 'resume') this.#go('ABORTED');
    else if (this.name !== 'RUNNING') this.#go('RUNNING');
  }

  #start(startsIn: number): void {
    this.#go(startsIn <= 0 ? 'RUNNING' : 'SCHEDULED');
    this.#startAt = this.now + startsIn;
  }

  /** "duration anew", by whoever is as strong as the pauser; a weaker zone can only make it longer. */
  #hold(by: ZoneRank, duration: number): void {
    const former = this.#pause;
    if (this.name !== 'PAUSED') this.#go('PAUSED');
    const asked = duration === 0 ? Number.POSITIVE_INFINITY : this.now + duration * 1000;
    const last = this.#since + (this.#rules.maxPause ?? Number.POSITIVE_INFINITY) * 1000;
    const stays = former !== undefined && former.by.priority < by.priority;
    const end = Math.min(stays ? Math.max(former.end, asked) : asked, last);
    this.#pause = { by: stays ? former.by : by, end, timed: duration !== 0 && !(stays && !former.timed) };
  }

  #go(name: Name): void {
    this.name = name;
    this.#since = this.now;
    this.#pause = undefined;
  }
}
