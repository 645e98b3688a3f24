import type { FeatureSchema, ValueType } from '../model/schema.js';
import { arrayOf, attribute, command, enumeration, field, int64, optional, struct, uint32, uint64 } from '../model/table.js';

export const Commitment = { PRELIMINARY: 0, TENTATIVE: 1, COMMITTED: 2, EXECUTING: 3 } as const;

const planSlot: ValueType = struct('PlanSlot', [
  field('duration', uint32),
  field('plannedPower', int64),
  field('minPower', int64),
  field('maxPower', int64),
]);

/** Plan, feature 0x09: what the device intends to do; commitment levels support negotiation. */
export const PLAN: FeatureSchema = {
  id: 0x09,
  name: 'Plan',
  attributes: [
    attribute(1, 'planId', uint32, { mandatory: true, default: 0 }),
    attribute(2, 'planVersion', uint32, { mandatory: true, default: 0 }),
    attribute(3, 'commitment', enumeration(Commitment), { mandatory: true, default: Commitment.PRELIMINARY }),
    attribute(10, 'startTime', uint64, { nullable: true }),
    attribute(11, 'endTime', uint64, { nullable: true }),
    attribute(20, 'totalEnergyPlanned', int64, { unit: 'mWh', nullable: true }),
    attribute(40, 'slots', arrayOf(planSlot), { nullable: true }),
  ],
  commands: [
    command(1, 'requestPlan', [optional('startTime', uint64), optional('duration', uint32)], {
      mandatory: true,
      response: [field('planId', uint32)],
    }),
    command(2, 'acceptPlan', [field('planId', uint32), field('planVersion', uint32)], {
      response: [field('newCommitment', enumeration(Commitment))],
    }),
  ],
};
