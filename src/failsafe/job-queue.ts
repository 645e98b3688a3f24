/** What is to be done once a commit holds. */
export type Finish = () => void;

export interface Job {
  /** A promise while a commit is under way; nothing else runs until it has settled. */
  run(): Promise<Finish> | undefined;
  /** It threw, or its commit was refused. */
  failed(reason: unknown): void;
}

/** Jobs one after the other, in the order of their arrival. What a job itself gives rise to waits for its end like any other. */
export class JobQueue {
  readonly #onIdle: () => void;
  readonly #waiting: Job[] = [];
  #busy = false;

  /** `onIdle` is called whenever the last job is done. */
  constructor(onIdle: () => void) {
    this.#onIdle = onIdle;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** With nothing under way it runs in this turn. */
  add(job: Job): void {
    this.#waiting.push(job);
    if (!this.#busy) this.#drain();
  }

  /** Those that wait have failed. */
  clear(reason: unknown): void {
    for (const { failed } of this.#waiting.splice(0)) failed(reason);
  }

  #drain(): void {
    this.#busy = true;
    for (let job = this.#waiting.shift(); job !== undefined; job = this.#waiting.shift()) {
      const { failed } = job;
      let pending: Promise<Finish> | undefined;
      attempt(() => {
        pending = job.run();
      }, failed);
      if (pending === undefined) continue;
      const resume = (finish: Finish): void => {
        attempt(finish, failed);
        this.#drain();
      };
      pending.then(resume, (reason: unknown) => resume(() => failed(reason)));
      return;
    }
    this.#busy = false;
    this.#onIdle();
  }
}

function attempt(action: () => void, failed: Job['failed']): void {
  try {
    action();
  } catch (error) {
    failed(error);
  }
}
