import type { CborMap, CborValue } from '../codec/cbor.js';
import type { Caller, FeatureInstance } from '../model/feature.js';
import type { EndpointDefinition } from '../model/model.js';
import { type FeatureNeed, type Scenario, USE_CASES, type UseCase } from './use-case-table.js';

/** Flags are the same for everyone. */
const NOBODY: Caller = { id: '', type: 0, priority: 4 };

/**
 * DeviceInfo attribute 21: `{1: endpoint, 2: use case, 3: major, 4: minor, 5: bits of its scenarios}`, as in the recorded session. Nothing of it is written
 * down anywhere: "a scenario is declared if its attributes and commands are listed and its flags true" (features.md §5).
 */
export function describeUseCases(endpoints: readonly EndpointDefinition[]): readonly CborMap[] {
  return endpoints.flatMap((endpoint) =>
    USE_CASES.flatMap((useCase) => {
      const bits = scenarioBits(useCase, endpoint);
      if ((bits & 1) === 0) return [];
      const { id, major, minor } = useCase;
      return [
        new Map<number, CborValue>([
          [1, endpoint.id],
          [2, id],
          [3, major],
          [4, minor],
          [5, bits],
        ]),
      ];
    }),
  );
}

/** Bits of the scenarios that the endpoint carries; 0: none. */
export function scenarioBits({ types, scenarios }: UseCase, endpoint: EndpointDefinition): number {
  if (types !== undefined && !types.includes(endpoint.type)) return 0;
  let held = scenarios.filter((scenario) => carries(endpoint, scenario));
  // A scenario that falls may take others with it.
  for (let before = -1; before !== held.length; ) {
    before = held.length;
    const bits = held.map(({ bit }) => bit);
    held = held.filter(
      ({ requires = [], requiresAny }) =>
        requires.every((bit) => bits.includes(bit)) && (requiresAny === undefined || requiresAny.some((bit) => bits.includes(bit))),
    );
  }
  return held.reduce((sum, { bit }) => sum | (1 << bit), 0);
}

function carries(endpoint: EndpointDefinition, { needs, types }: Scenario): boolean {
  if (types !== undefined && !types.includes(endpoint.type)) return false;
  return needs.every((need) => {
    const instance = endpoint.features.find(({ schema }) => schema.name === need.feature);
    return instance !== undefined && meets(instance, need);
  });
}

function meets(instance: FeatureInstance, { attributes = [], flags = [], commands = [] }: FeatureNeed): boolean {
  const { schema } = instance;
  const listed = (name: string): boolean =>
    schema.attributes.some((entry) => entry.name === name && instance.attributes.includes(entry.id));
  const accepted = (name: string): boolean => schema.commands.some((entry) => entry.name === name && instance.commands.includes(entry.id));
  const set = (name: string): boolean =>
    schema.attributes.some((entry) => entry.name === name && listed(name) && instance.read(entry.id, NOBODY) === true);
  return attributes.every(listed) && flags.every(set) && commands.every(accepted);
}
