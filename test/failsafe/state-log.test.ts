import { expect, test } from 'vitest';
import { EnergyWorld, GRID } from './world.js';

const HOUR = 3_600_000;

/** `machine from to` of every debug line since the last call. */
function told({ log }: EnergyWorld): readonly string[] {
  return log.lines.splice(0).map(({ level, message, fields }) => {
    expect([level, fields.endpoint]).toEqual(['debug', 1]);
    return `${message}: ${fields.from} → ${fields.to}`;
  });
}

test('docs/protocol-log.md, state changes: process, failsafe and override tell each of theirs, once', async () => {
  const world = new EnergyWorld({ zones: [GRID] });
  expect(told(world)).toEqual([]);
  world.connect(GRID);
  expect(told(world)).toEqual(['failsafe: running → off']);
  world.event({ type: 'process', event: { type: 'offered' } });
  await world.run(GRID, { name: 'scheduleProcess', startsIn: 1000 });
  await world.advance(1000);
  await world.run(GRID, { name: 'pause', duration: 10 });
  await world.advance(10_000);
  await world.run(GRID, { name: 'stop' });
  expect(told(world)).toEqual([
    'process state: NONE → AVAILABLE',
    'process state: AVAILABLE → SCHEDULED',
    'process state: SCHEDULED → RUNNING',
    'process state: RUNNING → PAUSED',
    'process state: PAUSED → RUNNING',
    'process state: RUNNING → ABORTED',
  ]);
  world.event({ type: 'press' });
  world.event({ type: 'deviceOverride', cause: { reason: 0, direction: 0 } });
  world.event({ type: 'deviceOverride', cause: undefined });
  await world.limit(GRID, 5_000_000, { cause: 0 });
  expect(told(world)).toEqual(['override: none → user', 'override: user → device', 'override: device → user']);
  world.lose(GRID);
  await world.advance(2 * HOUR);
  expect(told(world)).toEqual(['failsafe: off → running', 'override: user → none', 'failsafe: running → over']);
});

test('hold is a state of its own', async () => {
  const world = new EnergyWorld({ zones: [GRID], config: { failsafe: { grace: 0, afterDuration: 'hold' } } });
  await world.advance(2 * HOUR);
  expect(told(world)).toEqual(['failsafe: running → held']);
});
