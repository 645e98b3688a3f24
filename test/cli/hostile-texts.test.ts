import { afterEach, expect, it } from 'vitest';
import { boards } from '../../boards/index.js';
import type { BoardDefinition } from '../../src/model/board.js';
import { Lines } from './line.js';

let lines: Lines;
afterEach(() => lines.close());

const CLEAR = '\u001b[2J';

it('texts of a device, and of whoever answers on the link, move no cursor: in words and as JSON', async () => {
  const board = { ...(boards.get('sim-evse') as BoardDefinition), brand: `Good${CLEAR}\u009b2J`, model: `Name${CLEAR}` };
  lines = await Lines.start({ board });
  const seen = await lines.go('discover');
  expect([seen.code, seen.out]).toEqual([0, expect.stringContaining('Good\\u001b[2J\\u009b2J')]);
  await lines.join('home');
  const told = await lines.go('read');
  expect(told.code).toBe(0);
  for (const { out, err } of [seen, told]) expect(`${out}${err}`).not.toMatch(/[^\P{Cc}\n]/u);
  const { value } = await lines.json('devices');
  expect(JSON.stringify(value)).toContain('Name\\u001b[2J');
});
