import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

/** A line that has not come by then does not come. */
const LONGEST = 60_000;

/** A real process whose lines of JSON are waited for. */
export class Program {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  /** What it said on stdout and was not taken yet. */
  readonly lines: Record<string, unknown>[] = [];
  /** What it said on stderr. */
  complaint = '';
  readonly #waiting = new Set<() => void>();
  #ended = false;

  /** This Node, with these arguments. */
  constructor(...args: readonly string[]) {
    this.child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.exited = new Promise((resolve) => this.child.once('close', resolve));
    this.child.stderr?.on('data', (chunk) => {
      this.complaint += String(chunk);
    });
    createInterface({ input: this.child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.lines.push(JSON.parse(line));
      this.#wake();
    });
    void this.exited.then(() => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** Takes everything up to the first line that matches; waits for it as long as the process lives, and a minute at most. */
  async says(what: string, matches: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    const deadline = Date.now() + LONGEST;
    for (;;) {
      const at = this.lines.findIndex(matches);
      const line = this.lines[at];
      if (line !== undefined) {
        this.lines.splice(0, at + 1);
        return line;
      }
      const left = deadline - Date.now();
      if (this.#ended || left <= 0)
        throw new Error(`${this.#ended ? 'ended' : 'waited'} without: ${what}; said ${JSON.stringify(this.lines)} ${this.complaint}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiting.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** What was said so far does not count. */
  forget(): void {
    this.lines.length = 0;
  }

  /** kill -9, waited for. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

/** TCP ports that nobody has at the moment. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer().listen(0, '::', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
