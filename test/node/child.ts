import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** A fresh folder under the system's temporary one; `remove` takes it away with all it holds. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'mash-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Writes `entries` (paths from the root of the project, `.ts`) and all they import to `folder` as JavaScript that a bare Node runs. */
export function transpile(entries: readonly string[], folder: string): void {
  const todo = entries.map((entry) => join(ROOT, entry));
  const done = new Set<string>();
  for (let file = todo.pop(); file !== undefined; file = todo.pop()) {
    if (done.has(file)) continue;
    done.add(file);
    const source = readFileSync(file, 'utf8');
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
    });
    const target = join(folder, relative(ROOT, file).replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, outputText);
    for (const [, name] of outputText.matchAll(/from '(\.[^']+)\.js'/g)) todo.push(join(dirname(file), `${name}.ts`));
  }
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
}

/** A process of its own that runs `code` as a module in `folder`; its lines of output are read one by one. */
export class Child {
  readonly #process: ChildProcess;
  readonly #lines: string[] = [];
  #waiting: (() => void) | undefined;
  #ended = false;

  constructor(code: string, folder: string, args: readonly string[] = []) {
    const script = join(mkdtempSync(join(folder, 'run-')), 'main.mjs');
    writeFileSync(script, code);
    this.#process = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    let rest = '';
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      this.#lines.push(...parts);
      this.#waiting?.();
    });
    this.#process.on('close', () => {
      this.#ended = true;
      this.#waiting?.();
    });
  }

  /** The next line; undefined when the process has ended and said no more. */
  async line(): Promise<string | undefined> {
    while (this.#lines.length === 0 && !this.#ended) await new Promise<void>((next) => (this.#waiting = next));
    return this.#lines.shift();
  }

  /** kill -9; resolves when the process is gone. */
  async kill(): Promise<void> {
    if (this.#ended) return;
    const gone = once(this.#process, 'close');
    this.#process.kill('SIGKILL');
    await gone;
  }
}
