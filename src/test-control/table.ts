import type { FeatureSchema } from '../model/schema.js';
import { attribute, bool, code64, command, field, text, uint32 } from '../model/table.js';

export const TestCommand = { TRIGGER: 1, SET_WINDOW: 2, GET_STATE: 3 } as const;

/** TestControl, feature 0x0A on endpoint 0 (reference-behaviour §3.1): there in test builds alone, and only with an enable key. */
export const TEST_CONTROL: FeatureSchema = {
  id: 0x0a,
  name: 'TestControl',
  attributes: [attribute(1, 'testEventTriggersEnabled', bool, { mandatory: true, default: false })],
  commands: [
    command(TestCommand.TRIGGER, 'triggerTestEvent', [field('enableKey', text), field('eventTrigger', code64)], {
      mandatory: true,
      response: [field('success', bool)],
    }),
    command(TestCommand.SET_WINDOW, 'setCommissioningWindowDuration', [field('enableKey', text), field('durationSeconds', uint32)], {
      response: [field('success', bool)],
    }),
    // Not in the feature's table: diagnostic, of the reference and its harness.
    command(TestCommand.GET_STATE, 'getTestState', [field('enableKey', text)]),
  ],
};
