import { describe, expect, it } from 'vitest';
import { boards } from '../../boards/index.js';
import { simulationOf } from '../../boards/simulations.js';
import type { BoardDefinition } from '../../src/model/board.js';

const FREE = { ceiling: null, phaseLimits: [], paused: false, aborted: false, running: true };

describe('the simulations of the boards', () => {
  it.each([...boards.values()])('$name has a stage for every endpoint with ratings, and keys of their own', (board) => {
    const simulation = simulationOf(board, { now: () => 0 }) ?? expect.fail('no simulation');
    const rated = board.endpoints.filter(({ electrical }) => electrical !== undefined).map(({ id }) => id);
    expect([...simulation.stages.keys()]).toEqual(rated);
    const keys = ['b', 'l', 's', 'q', ...simulation.acts.map(({ key }) => key)];
    expect(new Set(keys).size).toBe(keys.length);
  });

  it.each([...boards.values()])('$name: the rating of the board is what the hardware draws at most', (board) => {
    const { stages } = simulationOf(board, { now: () => 0, metersFrozen: true }) ?? expect.fail('no simulation');
    for (const [id, stage] of stages) {
      stage.apply(FREE);
      const drawn = stage.read().phases.reduce((sum, { active }) => sum + active, 0);
      expect(drawn).toBe(board.endpoints.find((endpoint) => endpoint.id === id)?.electrical?.maxConsumption);
    }
  });

  it.each([...boards.values()])('$name: meter noise stays below the order', (board) => {
    const { stages } = simulationOf(board, { now: () => 0 }) ?? expect.fail('no simulation');
    for (const stage of stages.values())
      for (const ceiling of [4_800_000, 6_000_000]) {
        stage.apply({ ...FREE, ceiling });
        for (let i = 0; i < 100; i++) expect(stage.read().phases.reduce((sum, { active }) => sum + active, 0)).toBeLessThanOrEqual(ceiling);
      }
  });

  it('a board with hardware of its own has none', () => {
    expect(simulationOf({ ...(boards.get('sim-evse') as BoardDefinition), name: 'pi-evse' }, { now: () => 0 })).toBeUndefined();
  });

  it('what can be done to them shows', () => {
    const play = (name: string, keys: string): string[] => {
      const simulation = simulationOf(boards.get(name) as BoardDefinition, { now: () => 0, metersFrozen: true }) ?? expect.fail('none');
      for (const stage of simulation.stages.values()) stage.apply(FREE);
      return [...keys].map((key) => {
        simulation.acts.find((act) => act.key === key)?.run();
        return simulation.describe();
      });
    };
    expect(play('sim-evse', 'npdpf')).toEqual([
      expect.stringContaining(' kW · car at 35 %'),
      '0.00 kW · no car',
      '0.00 kW · no car',
      '0.00 kW · car at 35 %, wants nothing',
      '0.00 kW · car at 35 %, wants nothing · simulated fault',
    ]);
    expect(play('sim-heat-pump', 'df')).toEqual([
      '1.50 kW · buffer 40.0 °C · meters exact',
      '0.00 kW · buffer 40.0 °C · simulated fault · meters exact',
    ]);
  });
});
