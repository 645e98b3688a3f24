import { describe, expect, test } from 'vitest';
import { Process } from '../../src/failsafe/process-state.js';
import { APP, EnergyWorld, type EnergyWorldOptions, GRID, HOME } from './world.js';

const { AVAILABLE, SCHEDULED, RUNNING, PAUSED, COMPLETED, ABORTED, NONE } = Process;

function world(options: EnergyWorldOptions = {}, ...events: readonly ('offered' | 'demanded')[]): EnergyWorld {
  const made = new EnergyWorld({ zones: [GRID, HOME, APP], ...options });
  made.connect(GRID, HOME, APP);
  for (const type of events) made.event({ type: 'process', event: { type } });
  return made;
}
const limits = (over: object) => ({
  config: { process: { minRunDuration: null, minPauseDuration: null, maxPauseDuration: null, ...over } },
});

describe('TC-PROCESS', () => {
  test('1, 2: NONE, AVAILABLE when offered, withdrawn again', () => {
    const made = world();
    expect(made.read(80)).toBe(NONE);
    made.event({ type: 'process', event: { type: 'offered' } });
    expect(made.read(80)).toBe(AVAILABLE);
    made.event({ type: 'process', event: { type: 'withdrawn' } });
    expect(made.read(80)).toBe(NONE);
  });

  test('3, 5, 6: scheduled, running at its start to the millisecond', async () => {
    const made = world({}, 'offered');
    expect(await made.run(HOME, { name: 'scheduleProcess', startsIn: 300_000, processId: 1 })).toEqual({
      kind: 'process',
      startsIn: 300_000,
      newState: SCHEDULED,
    });
    await made.advance(299_999);
    expect(made.read(80)).toBe(SCHEDULED);
    await made.advance(1);
    expect(made.read(80)).toBe(RUNNING);
  });

  test('4: an absent or past start is at once', async () => {
    const made = world({}, 'offered');
    expect(await made.run(HOME, { name: 'scheduleProcess', startsIn: -5 })).toEqual({ kind: 'process', startsIn: 0, newState: RUNNING });
  });

  test('AdjustStartTime moves it', async () => {
    const made = world({}, 'offered');
    await made.run(HOME, { name: 'scheduleProcess', startsIn: 300_000 });
    expect(await made.status(HOME, { name: 'adjustStartTime', startsIn: 600_000 })).toBe(0);
    await made.advance(599_999);
    expect(made.read(80)).toBe(SCHEDULED);
    await made.advance(1);
    expect(made.read(80)).toBe(RUNNING);
    expect(await made.status(HOME, { name: 'adjustStartTime', startsIn: 1 })).toBe(11);
  });

  test('7, 9: Pause and Resume, the stage is told', async () => {
    const made = world({}, 'demanded');
    await made.run(HOME, { name: 'pause' });
    expect([made.read(80), made.core.target.paused]).toEqual([PAUSED, true]);
    await made.run(HOME, { name: 'resume' });
    expect([made.read(80), made.core.target.paused]).toEqual([RUNNING, false]);
  });

  test('TC-DUR-007: a timed Pause ends as Resume, to the millisecond', async () => {
    const made = world({}, 'demanded');
    await made.run(HOME, { name: 'pause', duration: 10 });
    await made.advance(9999);
    expect(made.read(80)).toBe(PAUSED);
    await made.advance(1);
    expect(made.read(80)).toBe(RUNNING);
  });

  test('8, 10: before minRunDuration and minPauseDuration: retryAfter, nothing changed', async () => {
    const made = world(limits({ minRunDuration: 60, minPauseDuration: 30 }), 'demanded');
    await made.advance(10_000);
    expect(await made.run(HOME, { name: 'pause' })).toEqual({ kind: 'retry', retryAfter: 50 });
    expect(await made.run(HOME, { name: 'stop' })).toEqual({ kind: 'retry', retryAfter: 50 });
    expect(made.read(80)).toBe(RUNNING);
    await made.advance(50_000);
    await made.run(HOME, { name: 'pause' });
    await made.advance(5000);
    expect(await made.run(HOME, { name: 'resume' })).toEqual({ kind: 'retry', retryAfter: 25 });
    expect(made.read(80)).toBe(PAUSED);
  });

  test('11, 17: COMPLETED by the device, NONE when cleared', () => {
    const made = world({}, 'demanded');
    made.event({ type: 'process', event: { type: 'finished' } });
    expect(made.read(80)).toBe(COMPLETED);
    made.event({ type: 'process', event: { type: 'cleared' } });
    expect(made.read(80)).toBe(NONE);
  });

  test('12, 13: Stop and CancelProcess abort', async () => {
    const running = world({}, 'demanded');
    await running.run(HOME, { name: 'stop' });
    expect(running.read(80)).toBe(ABORTED);
    const offered = world({}, 'offered');
    expect(await offered.run(HOME, { name: 'cancelProcess', processId: 1 })).toEqual({
      kind: 'process',
      startsIn: undefined,
      newState: ABORTED,
    });
  });

  test('14, 15: without the flag: 10', async () => {
    const config = { isPausable: false, isStoppable: false, isShiftable: false, schedulesProcess: false };
    const made = world({ config }, 'demanded');
    for (const name of ['pause', 'resume', 'stop', 'cancelProcess'] as const) expect(await made.status(HOME, { name })).toBe(10);
    expect(await made.status(HOME, { name: 'scheduleProcess', startsIn: 0 })).toBe(10);
    expect(await made.status(HOME, { name: 'adjustStartTime', startsIn: 0 })).toBe(10);
  });

  test('16: another process: 11', async () => {
    expect(await world({}, 'offered').status(HOME, { name: 'scheduleProcess', startsIn: 0, processId: 9999 })).toBe(11);
  });

  test('a start that no clock reaches: 11, whatever the wall clock made of it', async () => {
    const made = world({}, 'offered');
    expect(await made.status(HOME, { name: 'scheduleProcess', startsIn: 2 ** 53 })).toBe(11);
    await made.run(HOME, { name: 'scheduleProcess', startsIn: 300_000 });
    expect(await made.status(HOME, { name: 'adjustStartTime', startsIn: 2 ** 53 })).toBe(11);
  });
});

describe('features.md §2, owner', () => {
  test('a zone of lower priority is refused with 8, also after the owner left; the user never', async () => {
    const made = world({}, 'offered');
    await made.run(HOME, { name: 'scheduleProcess', startsIn: 0 });
    made.lose(HOME);
    for (const name of ['pause', 'stop', 'cancelProcess'] as const) expect(await made.status(APP, { name })).toBe(8);
    await made.run(GRID, { name: 'pause' });
    expect(await made.status(HOME, { name: 'resume' })).toBe(8);
    expect(await made.status({ id: '', type: 4, priority: 0 }, { name: 'resume' })).toBe(0);
  });

  test("its zone removed, nobody owns it, and the zone's Pause ends", async () => {
    const made = world({}, 'offered');
    await made.run(GRID, { name: 'scheduleProcess', startsIn: 0 });
    await made.run(GRID, { name: 'pause' });
    expect(await made.status(APP, { name: 'stop' })).toBe(8);
    made.remove(GRID);
    expect(made.read(80)).toBe(RUNNING);
    expect(await made.status(APP, { name: 'stop' })).toBe(0);
  });

  test.each([
    ['untimed, cut short by a weaker zone', undefined, 10, undefined],
    ['timed, cut short', 60, 10, 60],
    ['timed, prolonged', 60, 90, 90],
    ['timed, prolonged without end', 60, undefined, undefined],
  ] as const)('a Pause %s', async (_name, first, second, ends) => {
    const made = world({}, 'demanded');
    await made.run(HOME, { name: 'pause', ...(first === undefined ? {} : { duration: first }) });
    expect(await made.status(APP, { name: 'pause', ...(second === undefined ? {} : { duration: second }) })).toBe(0);
    expect(await made.status(APP, { name: 'resume' })).toBe(8);
    await made.advance((ends ?? 86_400) * 1000 - 1);
    expect(made.read(80)).toBe(PAUSED);
    await made.advance(1);
    expect(made.read(80)).toBe(ends === undefined ? PAUSED : RUNNING);
  });

  test('FAILSAFE, its end, OVERRIDE and limits never change it', async () => {
    const made = world({}, 'demanded');
    await made.run(HOME, { name: 'pause' });
    made.event({ type: 'press' });
    await made.limit(GRID, 0, { cause: 0 });
    made.lose(GRID, HOME, APP);
    await made.advance(2 * 3_600_000);
    expect([made.control, made.read(80)]).toEqual([0, PAUSED]);
  });
});
