import { describe, expect, it } from 'vitest';
import { boards } from '../../boards/index.js';
import type { CborValue } from '../../src/codec/cbor.js';
import { CHARGING_SESSION } from '../../src/features/charging-session-table.js';
import { DEVICE_INFO } from '../../src/features/device-info-table.js';
import { ELECTRICAL } from '../../src/features/electrical-table.js';
import { ENERGY_CONTROL } from '../../src/features/energy-control-table.js';
import { MEASUREMENT } from '../../src/features/measurement-table.js';
import { PLAN } from '../../src/features/plan-table.js';
import { SIGNALS } from '../../src/features/signals-table.js';
import { STATUS } from '../../src/features/status-table.js';
import { TARIFF } from '../../src/features/tariff-table.js';
import { examine } from '../../src/model/validate.js';
import { makeZone } from '../world/controller.js';
import { DeviceWorld } from '../world/device-world.js';
import { ZonePeer } from '../world/zone-peer.js';

const SCHEMAS = [DEVICE_INFO, STATUS, ELECTRICAL, MEASUREMENT, ENERGY_CONTROL, CHARGING_SESSION, SIGNALS, PLAN, TARIFF];

/** Of the features that a board has, what of their tables it does not list (docs/boards.md says why). */
const NOT_LISTED: Readonly<Record<string, readonly string[]>> = {
  'sim-evse': [
    ...['acReactivePowerPerPhase', 'acApparentPowerPerPhase', 'acVoltagePhaseToPhasePair', 'acEnergyProduced'],
    ...['dcPower', 'dcCurrent', 'dcVoltage', 'dcEnergyIn', 'dcEnergyOut', 'stateOfCharge', 'stateOfHealth', 'stateOfEnergy'],
    ...['useableCapacity', 'cycleCount', 'temperature'],
    ...['effectiveCurrentSetpointsConsumption', 'myCurrentSetpointsConsumption', 'effectiveCurrentSetpointsProduction'],
    ...['myCurrentSetpointsProduction', 'contractualProductionMax', 'controlMode'],
    ...['evMinDischargingRequest', 'evMaxDischargingRequest', 'evDischargeBelowTargetPermitted'],
  ],
  'sim-heat-pump': [
    ...['acReactivePowerPerPhase', 'acApparentPowerPerPhase', 'acVoltagePhaseToPhasePair', 'acEnergyProduced'],
    ...['dcPower', 'dcCurrent', 'dcVoltage', 'dcEnergyIn', 'dcEnergyOut', 'stateOfCharge', 'stateOfHealth', 'stateOfEnergy'],
    ...['useableCapacity', 'cycleCount'],
    ...['effectiveCurrentLimitsConsumption', 'myCurrentLimitsConsumption', 'effectiveCurrentLimitsProduction', 'myCurrentLimitsProduction'],
    ...['effectiveConsumptionSetpoint', 'myConsumptionSetpoint', 'effectiveProductionSetpoint', 'myProductionSetpoint'],
    ...['effectiveCurrentSetpointsConsumption', 'myCurrentSetpointsConsumption', 'effectiveCurrentSetpointsProduction'],
    ...['myCurrentSetpointsProduction', 'contractualProductionMax', 'controlMode'],
  ],
};

describe.each([...boards.keys()])('%s: what 0xFFFB lists, against the tables', (name) => {
  it('every listed attribute has a value of its type, null only where nullable; what is not listed is known', async () => {
    const world = await DeviceWorld.start({ board: name, powerStage: true });
    try {
      const zone = await ZonePeer.commission(world, 'draft', makeZone('Home'));
      const { payload } = await zone.ask(1, [20]);
      const missing: string[] = [];
      for (const endpoint of payload.get(20) as readonly ReadonlyMap<number, CborValue>[])
        for (const feature of endpoint.get(4) as readonly number[]) {
          const schema = SCHEMAS.find(({ id }) => id === feature) ?? expect.fail(`feature ${feature}`);
          const { payload: values } = await zone.ask(1, undefined, feature, endpoint.get(1) as number);
          const listed = values.get(0xfffb) as readonly number[];
          expect([...values.keys()].map(Number).sort((a, b) => a - b)).toEqual(listed);
          for (const { id, name: attribute, type, nullable } of schema.attributes) {
            const value = values.get(id);
            if (value === undefined) missing.push(attribute);
            else if (value === null) expect([attribute, nullable]).toEqual([attribute, true]);
            else expect(examine(type, value, attribute)).toEqual({ value, violation: undefined });
          }
        }
      expect(missing.sort()).toEqual([...(NOT_LISTED[name] ?? [])].sort());
    } finally {
      await world.close();
    }
  });
});
