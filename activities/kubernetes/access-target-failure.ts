import { errors, type CodedError } from '../../contracts/errors.ts';
import { codedErrorOf, codedFailure } from '../coded-failure.ts';
import { ApiError, isNotFound } from './api-error.ts';
import type { Cluster } from './environments.ts';
import { translateApiError } from './error-translation.ts';

interface Subject {
  subject: string;
  /** That was to be bound. */
  clusterRole?: string;
}

/** Runs calls to the API server; what they throw leaves as a target of access says it. */
export const asAccessTarget = async <Result>(
  about: Subject,
  work: () => Promise<Result>,
): Promise<Result> => {
  try {
    return await work();
  } catch (error) {
    throw toTargetFailure(error, about);
  }
};

const refused = (message: string, next: string, subject: string): Error =>
  codedFailure({ code: 'ACCESS_TARGET_REFUSED', message, next, subject });

export const missingClusterRole = (clusterRole: string): Error =>
  refused(
    `There is no ClusterRole ${clusterRole}. It was given to nobody.`,
    'Create it, or correct clusterRoles of the target in access.yaml.',
    `ClusterRole/${clusterRole}`,
  );

export const foreignBinding = (cluster: Cluster, name: string, clusterRole: string): Error =>
  refused(
    `RoleBinding/${name} in the namespace ${cluster.namespace} was made by someone else: it has not the label of ours, or binds another role than ClusterRole/${clusterRole}. It was left as it is.`,
    'Rename or delete it, if nobody needs it.',
    `RoleBinding/${name}`,
  );

/**
 * Something of exactly this name is not there. What it is, the server does not tell: of a ClusterRole
 * that a RoleBinding names it says that a RoleBinding of its name is missing (tried on 1.36).
 */
export const isMissing = (error: unknown, name: string): boolean =>
  isNotFound(error) && String(error).includes(`"${name}" not found`);

/** By RBAC nobody gives what they have not got themselves, but who has `bind` on the role. */
const escalation = /attempting to grant RBAC permissions not currently held/;

const codes: Partial<Record<CodedError['code'], CodedError['code']>> = {
  CLUSTER_UNREACHABLE: 'ACCESS_TARGET_UNREACHABLE',
  RATE_LIMITED: 'ACCESS_TARGET_UNREACHABLE',
  WRITE_CONFLICT: 'ACCESS_TARGET_DIFFERS',
  // Has no meaning that an operator could act by, and is tried again as it is.
  INTERNAL: 'INTERNAL',
};

const toTargetFailure = (error: unknown, about: Subject): unknown => {
  const special = error instanceof ApiError ? aboutTheRole(error, about) : undefined;
  if (special !== undefined) return special;
  const translated = translateApiError(error, about);
  const coded = codedErrorOf(translated);
  if (coded === undefined || coded.code.startsWith('ACCESS_TARGET_')) return translated;
  const code = codes[coded.code] ?? 'ACCESS_TARGET_REFUSED';
  const { message } = coded;
  const { subject } = about;
  return code === 'ACCESS_TARGET_REFUSED'
    ? refused(message, adviceFor(coded), subject)
    : codedFailure({ code, message, subject }, { cause: error, ...waitAfter(error) });
};

const waitAfter = (error: unknown): { nextRetryDelayMs?: number } =>
  error instanceof ApiError && error.retryAfterMs !== undefined
    ? { nextRetryDelayMs: error.retryAfterMs }
    : {};

const aboutTheRole = (error: ApiError, { subject, clusterRole = '' }: Subject): unknown => {
  if (error.status === 403 && escalation.test(error.message)) {
    return escalating(error, { subject, clusterRole });
  }
  // The server looks for the role that is bound, where it has to know what that allows.
  return isMissing(error, clusterRole) ? missingClusterRole(clusterRole) : undefined;
};

const escalating = (error: ApiError, { subject, clusterRole }: Required<Subject>): Error => {
  const user = /user "(?<user>[^"]*)"/.exec(error.message)?.groups?.['user'] ?? '';
  return refused(
    `User ${user} may not give ClusterRole ${clusterRole}: it allows more than that user may. It was given to nobody.`,
    `Give that user the verb bind on clusterroles, for ${clusterRole}, as deploy/kubernetes/access-target.yaml does.`,
    subject,
  );
};

const adviceFor = ({ code, next }: CodedError): string =>
  code === 'PERMISSION_MISSING'
    ? 'Give the user of the environment the rights in deploy/kubernetes/access-target.yaml, in its namespace.'
    : (next ?? errors[code].next);
