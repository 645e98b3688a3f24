import { EventEmitter } from 'node:events';
import type { ReadStream } from 'node:tty';
import qr from 'qr';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MockButton } from '../../hal/mock/index.js';
import { controlLine, qrLines, type Surroundings, TerminalPanel } from '../../src/simulator/terminal-panel.js';

const CONTENT = 'MASH:1:1234:20220211:0x1234:0x0001';

/** The modules that a phone sees: bright where the terminal is white. */
function seen(lines: readonly string[]): boolean[][] {
  return lines.flatMap((line) => {
    const row = line.replace('\u001b[97;40m', '').replace('\u001b[0m', '');
    return [
      [...row].map((character) => character === '█' || character === '▀'),
      [...row].map((character) => character === '█' || character === '▄'),
    ];
  });
}

describe('the QR code', () => {
  it('shows every module, with its border, bright on black', () => {
    const modules = qr(CONTENT, 'raw', { ecc: 'medium', border: 2 });
    const bright = seen(qrLines(CONTENT));
    for (const [y, row] of modules.entries()) for (const [x, dark] of row.entries()) expect(bright[y]?.[x]).toBe(!dark);
    // An odd number of rows: what is below the last one is border.
    expect(bright.slice(modules.length).flat().every(Boolean)).toBe(true);
    expect(bright[0]?.every(Boolean) && bright[1]?.every(Boolean)).toBe(true);
  });

  it('states its colours on every line', () => {
    for (const line of qrLines(CONTENT)) {
      expect(line.startsWith('\u001b[97;40m') && line.endsWith('\u001b[0m')).toBe(true);
      expect(line.slice(8, -4)).toMatch(/^[ ▀▄█]+$/);
    }
  });
});

class Keys extends EventEmitter {
  readonly modes: boolean[] = [];
  paused = false;
  setRawMode(mode: boolean): this {
    this.modes.push(mode);
    return this;
  }
  pause(): this {
    this.paused = true;
    return this;
  }
  type(text: string): void {
    this.emit('data', Buffer.from(text));
  }
}

function panel(surroundings?: Surroundings) {
  let now = 0;
  const button = new MockButton(() => now);
  const edges: [boolean, number][] = [];
  button.watch(({ pressed, at }) => edges.push([pressed, at]));
  const written: string[] = [];
  const keys = new Keys();
  const quits: number[] = [];
  const subject = new TerminalPanel(button, (text) => written.push(text), surroundings);
  const restore = subject.readKeys(keys as unknown as ReadStream, () => quits.push(now));
  const advance = (milliseconds: number): void => {
    now += milliseconds;
    vi.advanceTimersByTime(milliseconds);
  };
  return { button, edges, written, keys, quits, subject, restore, advance };
}

describe('TerminalPanel', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('draws texts and codes, and nothing for a blank display', () => {
    const { subject, written } = panel();
    subject.draw({ kind: 'blank' });
    expect(written).toEqual([]);
    subject.draw({ kind: 'text', lines: ['Simulated EVSE', '1 zone'] });
    expect(written.join('')).toContain('  Simulated EVSE\n  1 zone\n');
    subject.draw({ kind: 'qr', content: CONTENT, lines: ['Code 20220211'] });
    expect(written[1]).toContain(
      `${qrLines(CONTENT)
        .map((line) => `  ${line}\n`)
        .join('')}  ${CONTENT}\n  Code 20220211\n`,
    );
    expect(written[1]).toContain('keys: b button');
  });

  it.each([
    ['b', 80],
    ['l', 3200],
  ])('key %s holds the button for %i ms', (key, held) => {
    const { keys, edges, advance } = panel();
    keys.type(key);
    advance(held - 1);
    expect(edges).toEqual([[true, 0]]);
    advance(1);
    expect(edges).toEqual([
      [true, 0],
      [false, held],
    ]);
  });

  it('a key while the button is held does nothing', () => {
    const { keys, edges, advance } = panel();
    keys.type('lbbl');
    advance(10_000);
    expect(edges.map(([pressed]) => pressed)).toEqual([true, false]);
    keys.type('b');
    expect(edges).toHaveLength(3);
  });

  it.each(['q', '\u0003'])('key %j quits', (key) => {
    const { keys, quits, edges } = panel();
    keys.type(`x${key}`);
    expect(quits).toEqual([0]);
    expect(edges).toEqual([]);
  });

  it('plays the surroundings: a key acts and shows what is so, s shows it alone', () => {
    const { keys, written, subject } = panel({
      acts: [{ key: 'd', text: 'defrost', run: () => written.push('ice') }],
      describe: () => '1.50 kW',
    });
    keys.type('dsx');
    expect(written).toEqual(['ice', '  1.50 kW\n', '  1.50 kW\n']);
    subject.draw({ kind: 'text', lines: ['Heat Pump'] });
    expect(written.at(-1)).toContain('keys: b button · l long press · d defrost · s state · q quit');
  });

  it.each([
    [3, 4_200_000, 'FAILSAFE to 4.20 kW'],
    [0, null, 'AUTONOMOUS'],
  ])('control state %s, limit %s: %s', (controlState, effectiveConsumptionLimit, line) => {
    expect(controlLine({ endpoint: 1, controlState, effectiveConsumptionLimit })).toBe(line);
  });

  it('gives the terminal back', () => {
    const { keys, restore, edges, button, advance } = panel();
    keys.type('l');
    restore();
    expect(keys.modes).toEqual([true, false]);
    expect(keys.paused).toBe(true);
    keys.type('b');
    advance(10_000);
    expect(edges).toEqual([[true, 0]]);
    expect(button.pressed).toBe(true);
  });
});
