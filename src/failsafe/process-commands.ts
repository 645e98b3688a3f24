import type { ZoneRank } from '../zones/resolution.js';
import { checkDuration, milliseconds, violated } from './command-checks.js';
import type { CommandStep, ProcessCommand } from './command-types.js';
import { type EnergyConfig, type EnergyState, processLimits } from './energy-state.js';
import { settle } from './energy-view.js';
import { nextProcess, type ProcessEvent, processName, retryAfter } from './process-state.js';

/** features.md §2, 9–14; who may was judged before. Throws PeerError 11. */
export function runProcess(config: EnergyConfig, state: EnergyState, caller: ZoneRank, command: ProcessCommand, now: number): CommandStep {
  const { process } = state;
  if ('processId' in command && (command.processId ?? 1) !== 1) throw violated('there is no such process');
  if (command.name === 'pause') checkDuration(command.duration);
  if ('startsIn' in command) checkStart(command.startsIn, now);
  const limits = processLimits(config);
  const next = nextProcess(limits, process, processEvent(command, caller, now), now);
  if (next === undefined) throw violated(`${command.name} is not due in process state ${processName(process.name)}`);
  if (command.name === 'pause' || command.name === 'stop' || command.name === 'resume') {
    const seconds = retryAfter(limits, process, command.name, now);
    if (seconds > 0) return { state, result: { kind: 'retry', retryAfter: seconds } };
  }
  const after = settle(config, state, { state: { ...state, process: next }, control: 'valuesChanged' });
  if (command.name === 'cancelProcess') return { state: after, result: { kind: 'process', startsIn: undefined, newState: next.name } };
  if (!('startsIn' in command)) return { state: after, result: { kind: 'success' } };
  return { state: after, result: { kind: 'process', startsIn: Math.max(0, command.startsIn ?? 0), newState: next.name } };
}

function checkStart(startsIn: number | undefined, now: number): void {
  if (startsIn === undefined) throw violated('requestedStart: the clock was never set');
  if (now + startsIn > Number.MAX_SAFE_INTEGER) throw violated('requestedStart: no clock reaches it');
}

function processEvent(command: ProcessCommand, caller: ZoneRank, now: number): ProcessEvent {
  switch (command.name) {
    case 'pause':
      return { type: 'pause', by: caller, duration: milliseconds(command.duration) };
    case 'scheduleProcess':
      return { type: 'schedule', by: caller, startAt: now + (command.startsIn ?? 0) };
    case 'adjustStartTime':
      return { type: 'adjust', startAt: now + (command.startsIn ?? 0) };
    case 'cancelProcess':
      return { type: 'cancel' };
    case 'resume':
    case 'stop':
      return { type: command.name };
  }
}
