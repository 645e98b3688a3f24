/** ProcessState: 0–6 as in the feature's table. */
export const Process = { NONE: 0, AVAILABLE: 1, SCHEDULED: 2, RUNNING: 3, PAUSED: 4, COMPLETED: 5, ABORTED: 6 } as const;
export type Process = (typeof Process)[keyof typeof Process];

export function processName(process: Process): string {
  return Object.entries(Process).find(([, value]) => value === process)?.[0] ?? '';
}

/** Who scheduled or paused; priority 0 is the user, whom nobody outranks. */
export interface ProcessActor {
  readonly id: string;
  readonly priority: number;
}

/** The one process of an endpoint. Times are monotonic ms. */
export interface ProcessState {
  readonly name: Process;
  /** When it came into this state. */
  readonly since: number;
  /** The zone that scheduled it; it survives its connection. */
  readonly owner: ProcessActor | undefined;
  readonly startAt: number | undefined;
  readonly pause: { readonly by: ProcessActor; readonly until: number | undefined; readonly timed: boolean } | undefined;
}

export const NO_PROCESS: ProcessState = { name: Process.NONE, since: 0, owner: undefined, startAt: undefined, pause: undefined };

export type ProcessEvent =
  /** By the device. `demanded`: an EVSE's car asks for energy. `reset`: unplugged. */
  | { readonly type: 'offered' | 'withdrawn' | 'demanded' | 'finished' | 'cleared' | 'reset' }
  /** A start at or before now begins at once. */
  | { readonly type: 'schedule'; readonly by: ProcessActor; readonly startAt: number }
  | { readonly type: 'adjust'; readonly startAt: number }
  | { readonly type: 'pause'; readonly by: ProcessActor; readonly duration: number | undefined }
  | { readonly type: 'resume' | 'stop' | 'cancel' }
  /** The start, or the end of a pause, is reached. */
  | { readonly type: 'time' };

export interface ProcessLimits {
  /** s; null: none. */
  readonly minRunDuration: number | null;
  readonly minPauseDuration: number | null;
  readonly maxPauseDuration: number | null;
  /** Profile `reference`: Pause, Resume and Stop from any state. */
  readonly fromAnyState: boolean;
}

const NEVER = Number.POSITIVE_INFINITY;
const { NONE, AVAILABLE, SCHEDULED, RUNNING, PAUSED, COMPLETED, ABORTED } = Process;
const ANY: readonly Process[] = [NONE, AVAILABLE, SCHEDULED, RUNNING, PAUSED, COMPLETED, ABORTED];

/** features.md §2: where each event is allowed. */
const FROM: Readonly<Record<Exclude<ProcessEvent['type'], 'time'>, readonly Process[]>> = {
  offered: [NONE, COMPLETED, ABORTED],
  withdrawn: [AVAILABLE],
  demanded: [NONE],
  finished: [RUNNING],
  cleared: [COMPLETED, ABORTED],
  reset: ANY,
  schedule: [AVAILABLE, SCHEDULED],
  adjust: [SCHEDULED],
  pause: [RUNNING, PAUSED],
  resume: [PAUSED, RUNNING],
  stop: [SCHEDULED, RUNNING, PAUSED],
  cancel: [AVAILABLE, SCHEDULED, RUNNING, PAUSED],
};
const FROM_ANY_STATE: readonly ProcessEvent['type'][] = ['pause', 'resume', 'stop'];

/** Undefined: the event is not due in this state; the one place where it is refused. */
export function nextProcess(limits: ProcessLimits, state: ProcessState, event: ProcessEvent, now: number): ProcessState | undefined {
  if (event.type === 'time') return onTime(state, now);
  const anywhere = limits.fromAnyState && FROM_ANY_STATE.includes(event.type);
  if (!anywhere && !FROM[event.type].includes(state.name)) return undefined;
  switch (event.type) {
    case 'offered':
      return { ...NO_PROCESS, name: AVAILABLE, since: now };
    case 'withdrawn':
    case 'cleared':
    case 'reset':
      return { ...NO_PROCESS, since: now };
    case 'demanded':
      return { ...NO_PROCESS, name: RUNNING, since: now };
    case 'finished':
      return go(state, COMPLETED, now);
    case 'schedule':
      return start({ ...state, owner: event.by }, event.startAt, now);
    case 'adjust':
      return start(state, event.startAt, now);
    case 'pause':
      return pause(limits, state, event.by, event.duration, now);
    case 'resume':
      return state.name === RUNNING ? state : go(state, RUNNING, now);
    case 'stop':
    case 'cancel':
      return go(state, ABORTED, now);
  }
}

/** Seconds until Pause, Stop or Resume is allowed; 0: now. */
export function retryAfter(limits: ProcessLimits, state: ProcessState, event: 'pause' | 'stop' | 'resume', now: number): number {
  const [due, least] = event === 'resume' ? [PAUSED, limits.minPauseDuration] : [RUNNING, limits.minRunDuration];
  return state.name !== due || least === null ? 0 : Math.max(0, Math.ceil((state.since + least * 1000 - now) / 1000));
}

export function processDeadline(state: ProcessState): number {
  return state.startAt ?? state.pause?.until ?? NEVER;
}

function go(state: ProcessState, name: Process, now: number): ProcessState {
  return { ...state, name, since: now, startAt: undefined, pause: undefined };
}

function start(state: ProcessState, startAt: number, now: number): ProcessState {
  return startAt <= now ? go(state, RUNNING, now) : { ...go(state, SCHEDULED, now), startAt };
}

// What a weaker zone adds to a stronger one's pause can prolong it: neither its rank nor its end is for the weaker one to lower, who may not resume it either.
function pause(limits: ProcessLimits, state: ProcessState, by: ProcessActor, duration: number | undefined, now: number): ProcessState {
  const former = state.pause !== undefined && state.pause.by.priority < by.priority ? state.pause : undefined;
  const longest = limits.maxPauseDuration === null ? NEVER : limits.maxPauseDuration * 1000;
  const since = state.name === PAUSED ? state.since : now;
  const asked = Math.max(now + (duration ?? NEVER), former === undefined ? 0 : (former.until ?? NEVER));
  const until = Math.min(asked, since + longest);
  return {
    ...state,
    name: PAUSED,
    since,
    startAt: undefined,
    pause: {
      by: former?.by ?? by,
      until: until === NEVER ? undefined : until,
      timed: duration !== undefined && former?.timed !== false,
    },
  };
}

function onTime(state: ProcessState, now: number): ProcessState {
  if (now < processDeadline(state)) return state;
  return go(state, RUNNING, now);
}
