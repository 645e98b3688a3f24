import type { Caller, CommandOutcome } from '../model/feature.js';
import type { DeviceModel } from '../model/model.js';
import { InteractionStatus } from '../model/status.js';
import type { Clock, Log } from '../platform.js';
import type { Profile } from '../profile.js';
import { type Answer, errorResponse, Operation, type Request, type Response } from '../session/wire.js';
import { invoke, resultOf } from './invoke.js';
import type { Notifier } from './notifier.js';
import { answerRead } from './read.js';
import { refusal } from './refusal.js';
import { answerSubscribe, answerUnsubscribe, isUnsubscribe } from './subscribe.js';
import type { Subscriptions } from './subscriptions.js';
import { answerWrite } from './write.js';

/** Requests of one connection that wait behind a slow one; one more is answered by status 9. */
const MAX_WAITING = 32;
/** A write or a command that takes longer is answered by status 12. */
const TIMEOUT = 30_000;

/** A response, and what is to happen after it was written. */
interface Reply {
  readonly response: Response;
  readonly afterResponse?: (() => void) | undefined;
  /** The peer does not take a response of that length, and hears of a refusal instead. */
  readonly onTooLarge?: () => void;
}

export interface ExchangeParts {
  readonly model: DeviceModel;
  readonly profile: Profile;
  readonly clock: Clock;
  readonly log: Log;
  readonly notifier: Notifier;
}

/** The requests of one connection: carried out one after the other, answered in their order; a slow one holds up no other connection. */
export class Exchange {
  readonly #parts: ExchangeParts;
  readonly #caller: Caller;
  readonly #subscriptions: Subscriptions;
  readonly #waiting: { readonly request: Request; readonly answer: Answer }[] = [];
  #busy = false;
  #closed = false;

  constructor(parts: ExchangeParts, caller: Caller, subscriptions: Subscriptions) {
    this.#parts = parts;
    this.#caller = caller;
    this.#subscriptions = subscriptions;
    parts.notifier.add(subscriptions, caller.id);
  }

  onRequest(request: Request, answer: Answer): void {
    if (!this.#busy) this.#run(request, answer);
    else if (this.#waiting.length < MAX_WAITING) this.#waiting.push({ request, answer });
    else answer(errorResponse(request.id, InteractionStatus.BUSY, 'too many requests wait for their answer'));
  }

  /** Nothing is answered and nothing notified from now on. */
  close(): void {
    this.#closed = true;
    this.#waiting.length = 0;
    this.#parts.notifier.remove(this.#subscriptions);
  }

  #run(request: Request, answer: Answer): void {
    const { operation } = request;
    if (operation !== Operation.WRITE && operation !== Operation.INVOKE) {
      const { response, onTooLarge } = this.#immediate(request);
      answer(response, onTooLarge);
      return;
    }
    // On the writer's connection the response comes before what it caused.
    this.#subscriptions.hold();
    let reply: Reply | Promise<Reply>;
    try {
      reply = this.#change(request);
    } catch (error) {
      reply = { response: refusal(request.id, error, this.#parts.log) };
    }
    if (reply instanceof Promise) this.#await(request, reply, answer);
    else this.#finish(reply, answer);
  }

  #immediate(request: Request): Reply {
    try {
      return request.operation === Operation.SUBSCRIBE ? this.#subscribe(request) : { response: this.#read(request) };
    } catch (error) {
      return { response: refusal(request.id, error, this.#parts.log) };
    }
  }

  #read(request: Request): Response {
    const feature = this.#find(request);
    if ('status' in feature) return feature;
    if (request.operation !== Operation.READ)
      return errorResponse(request.id, InteractionStatus.UNSUPPORTED, `there is no operation ${request.operation}`);
    return answerRead(feature, request, this.#caller, this.#parts.profile['interaction.oddReadPayload']);
  }

  #subscribe(request: Request): Reply {
    const subscriptions = this.#subscriptions;
    if (isUnsubscribe(request)) return { response: answerUnsubscribe(request, subscriptions) };
    const feature = this.#find(request);
    if ('status' in feature) return { response: feature };
    const { response, id } = answerSubscribe(feature, request, this.#caller, subscriptions, this.#parts.profile);
    // A peer that never heard of its subscription cannot end it.
    return { response, onTooLarge: () => void subscriptions.remove(id) };
  }

  #change(request: Request): Reply | Promise<Reply> {
    const feature = this.#find(request);
    if ('status' in feature) return { response: feature };
    if (request.operation === Operation.WRITE) {
      const written = answerWrite(feature, request, this.#caller);
      return written instanceof Promise ? written.then((response) => ({ response })) : { response: written };
    }
    const outcome = invoke(feature, request, this.#caller);
    return outcome instanceof Promise ? outcome.then((late) => resultReply(request.id, late)) : resultReply(request.id, outcome);
  }

  #find(request: Request) {
    const endpoint = this.#parts.model.endpoint(request.endpoint);
    if (endpoint === undefined) return errorResponse(request.id, InteractionStatus.UNKNOWN_ENDPOINT, 'endpoint not found');
    return endpoint.feature(request.feature) ?? errorResponse(request.id, InteractionStatus.UNKNOWN_FEATURE, 'feature not found');
  }

  #await(request: Request, pending: Promise<Reply>, answer: Answer): void {
    this.#busy = true;
    let timedOut = false;
    const timer = this.#parts.clock.after('request', TIMEOUT, () => {
      timedOut = true;
      this.#resume({ response: errorResponse(request.id, InteractionStatus.TIMEOUT, 'not done in time') }, answer);
    });
    const settle = (reply: Reply): void => {
      timer.cancel();
      if (timedOut) this.#afterwards(reply);
      else this.#resume(reply, answer);
    };
    pending.then(settle, (error: unknown) => settle({ response: refusal(request.id, error, this.#parts.log) }));
  }

  #resume(reply: Reply, answer: Answer): void {
    this.#finish(reply, answer);
    this.#busy = false;
    while (!this.#busy) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#run(next.request, next.answer);
    }
  }

  #finish(reply: Reply, answer: Answer): void {
    this.#parts.notifier.flushOthers(this.#subscriptions);
    if (!this.#closed) answer(reply.response);
    this.#subscriptions.release();
    this.#afterwards(reply);
  }

  /** Its answer is written: a bug of ours in what follows is told to nobody but the log. */
  #afterwards({ afterResponse }: Reply): void {
    try {
      afterResponse?.();
    } catch (error) {
      this.#parts.log.error('internal error after a response', { error });
    }
  }
}

function resultReply(id: number, outcome: CommandOutcome | undefined): Reply {
  return { response: { id, status: InteractionStatus.SUCCESS, payload: resultOf(outcome) }, afterResponse: outcome?.afterResponse };
}
