import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';

/** A command in a pseudo-terminal of its own, through `script` of util-linux. */
export class Terminal {
  text = '';
  #child;
  #exit;

  constructor(command, options) {
    this.#child = spawn('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], options);
    this.#exit = new Promise((resolve, reject) => this.#child.once('exit', resolve).once('error', reject));
    this.#exit.catch(() => {});
    this.#child.stdout.setEncoding('utf8').on('data', (chunk) => {
      this.text = stripVTControlCharacters(this.text + chunk);
    });
  }

  /** Waits until the terminal shows this; resolves with the match. */
  async shows(what, pattern, within) {
    for (const deadline = performance.now() + within; ; await sleep(10)) {
      const match = pattern.exec(this.text);
      if (match !== null) return match;
      if (performance.now() > deadline || this.#child.exitCode !== null) throw new Error(`the terminal does not show ${what}`);
    }
  }

  type(keys) {
    this.#child.stdin.write(keys);
  }

  async ended(within) {
    return Promise.race([this.#exit, sleep(within, `none: still running after ${within} ms`, { ref: false })]);
  }

  kill() {
    this.#child.kill('SIGTERM');
  }
}
