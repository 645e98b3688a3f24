import { describe, expect, it } from 'vitest';
import type { ButtonEdge } from '../../hal/index.js';
import { MockButton } from '../../hal/mock/button.js';
import { MockDisplay, type Shown } from '../../hal/mock/display.js';
import { MockRelayDriver } from '../../hal/mock/relay.js';

describe('mock button', () => {
  it('delivers edges with the time of its clock, and no edge that is none', () => {
    let now = 5;
    const button = new MockButton(() => now);
    const edges: ButtonEdge[] = [];
    button.watch((edge) => edges.push(edge));
    button.release();
    button.press();
    button.press();
    now = 9.5;
    button.release();
    expect(edges).toEqual([
      { pressed: true, at: 5 },
      { pressed: false, at: 9.5 },
    ]);
  });

  it('delivers nothing after the watch ends, also when it ends during delivery', () => {
    const button = new MockButton(() => 0);
    const seen: string[] = [];
    const endFirst = button.watch(() => {
      seen.push('first');
      endSecond();
    });
    const endSecond = button.watch(() => seen.push('second'));
    button.press();
    endFirst();
    endFirst();
    button.release();
    expect(seen).toEqual(['first']);
    expect(button.watchers).toBe(0);
  });
});

describe('mock display', () => {
  it('remembers what it shows and tells about changes', () => {
    const changes: Shown[] = [];
    const display = new MockDisplay((shown) => changes.push(shown));
    expect(display.shown).toEqual({ kind: 'blank' });
    const lines = ['one'];
    display.text(lines);
    lines.push('two');
    expect(display.shown).toEqual({ kind: 'text', lines: ['one'] });
    display.qr('MASH:1', ['below']);
    expect(display.shown).toEqual({ kind: 'qr', content: 'MASH:1', lines: ['below'] });
    display.clear();
    expect(changes.map(({ kind }) => kind)).toEqual(['text', 'qr', 'blank']);
  });

  it('throws when told to fail, and after close', () => {
    const display = new MockDisplay();
    display.fail(new Error('cable'));
    expect(() => display.text(['x'])).toThrow('cable');
    expect(display.shown).toEqual({ kind: 'blank' });
    display.fail(undefined);
    display.text(['x']);
    display.close();
    display.close();
    expect(() => display.clear()).toThrow('closed');
    expect(display.closed).toBe(true);
  });
});

describe('mock relay', () => {
  it('drives its safe value with the request, follows its owner, and is safe again at release', () => {
    const levels: boolean[] = [];
    const driver = new MockRelayDriver((level) => levels.push(level));
    expect(driver.level).toBeUndefined();
    const relay = driver.request(false);
    expect(relay.read()).toBe(false);
    relay.set(true);
    expect(relay.read()).toBe(true);
    relay.release();
    relay.release();
    expect(driver.level).toBe(false);
    expect(driver.history).toEqual([false, true, false]);
    expect(levels).toEqual([false, true, false]);
  });

  it('has one owner at a time', () => {
    const driver = new MockRelayDriver();
    const first = driver.request(true);
    expect(() => driver.request(false)).toThrow('another owner');
    first.release();
    expect(driver.owned).toBe(false);
    const second = driver.request(false);
    first.release();
    expect(() => first.set(true)).toThrow('released');
    expect(() => first.read()).toThrow('released');
    expect(second.read()).toBe(false);
    expect(driver.owned).toBe(true);
  });

  it('reads back the line, not what was written, when the contact sticks', () => {
    const driver = new MockRelayDriver();
    const relay = driver.request(false);
    relay.set(true);
    driver.stick(true);
    relay.set(false);
    expect(relay.read()).toBe(true);
    driver.stick(false);
    relay.set(false);
    expect(relay.read()).toBe(false);
    expect(driver.history).toEqual([false, true, false, false]);
  });
});
