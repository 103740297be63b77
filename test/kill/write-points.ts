import type { AuditedWrite } from './audit-log.ts';
import type { ProxiedRequest } from './fault-proxy.ts';

/**
 * A place where a worker may die: one write of one kind of step. The same point
 * has the same name in every run, whichever way it is seen: in the audit log of an
 * undisturbed run, or on its way through the proxy of a disturbed one.
 */
export type WritePoint = string;

const verbs: Readonly<Record<string, string>> = {
  POST: 'create',
  PATCH: 'patch',
  PUT: 'update',
  DELETE: 'delete',
};

/** A create names its object only in the body, so that its point has the kind alone. */
const pointOf = (activityType: string, verb: string, object: string): WritePoint =>
  `${activityType}: ${verb} ${verb === 'create' ? object.replace(/[^/]*$/, '') : object}`;

/** Numbers repeated points, so that each has a name of its own. */
export const createPointCounter = (): ((point: WritePoint) => WritePoint) => {
  const seen = new Map<string, number>();
  return (point) => {
    const count = (seen.get(point) ?? 0) + 1;
    seen.set(point, count);
    return `${point} #${String(count)}`;
  };
};

export const pointsOfWrites = (writes: AuditedWrite[]): WritePoint[] => {
  const number = createPointCounter();
  return writes.map((write) => number(pointOf(write.activityType, write.verb, write.object)));
};

const pathPattern = /^\/(?:api|apis)\/(?<version>.+?)\/namespaces\/[^/]+\/(?<rest>[^?]+)/;

/** The point of a request on its way through the proxy. */
export const pointOfRequest = (request: ProxiedRequest): WritePoint => {
  const { version = '', rest = '' } = pathPattern.exec(request.path)?.groups ?? {};
  const verb = verbs[request.method] ?? request.method;
  const activityType = request.userAgent.split('; ')[1] ?? '';
  const object = `${version}/${rest}${verb === 'create' ? '/' : ''}`;
  return pointOf(activityType, verb, object);
};
