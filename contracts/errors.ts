import { final, passing } from './error-definition.ts';
import type { ErrorDefinition } from './error-definition.ts';
import { infrastructureErrors } from './infrastructure-errors.ts';

/**
 * Every error that a user can meet, in one table. `ApplicationFailure.type` on
 * the wire is the code. Zod-free: workflows import this at run time.
 * `docs/reference/errors.md` is generated from it.
 */
export const errors = {
  INVALID_INPUT: final({
    exitCode: 2,
    httpStatus: 400,
    meaning: 'A field of the input is missing, unknown or has a value that is not allowed.',
    next: 'Correct the named field and run the same command again.',
  }),
  MANIFEST_INVALID: final({
    exitCode: 2,
    httpStatus: 400,
    meaning: 'A manifest is not a Kubernetes object that the API server accepts.',
    next: 'Correct the named object; `holdfast deploy --dry-run` checks it without touching anything.',
  }),
  MANIFEST_KIND_UNSUPPORTED: final({
    exitCode: 2,
    httpStatus: 400,
    meaning: 'A manifest is of a kind that a release does not manage.',
    next: 'Take the object out of the manifests and manage it elsewhere.',
  }),
  READINESS_UNPROVABLE: final({
    exitCode: 2,
    httpStatus: 400,
    meaning:
      'A container has no readiness probe and the Deployment no minReadySeconds, so that a crashing version would look ready.',
    next: 'Add a readinessProbe, or set spec.minReadySeconds to at least 1.',
  }),
  ENVIRONMENT_UNKNOWN: final({
    exitCode: 3,
    httpStatus: 404,
    meaning: 'The environment is not mapped to a cluster in environments.yaml.',
    next: 'Add the environment to environments.yaml, or name one that is there.',
  }),
  CLUSTER_MISMATCH: final({
    exitCode: 78,
    httpStatus: 409,
    meaning: 'The cluster that answers is not the one the environment is mapped to.',
    next: 'Check context and cluster id in environments.yaml; nothing was touched.',
  }),
  CLUSTER_UNREACHABLE: passing({
    exitCode: 69,
    httpStatus: 503,
    meaning: 'The Kubernetes API server does not answer.',
    next: 'Check the address and credentials of the environment, then run the command again.',
  }),
  NAMESPACE_MISSING: final({
    exitCode: 3,
    httpStatus: 404,
    meaning: 'The namespace of the environment does not exist.',
    next: 'Create the namespace; a release never creates or deletes one.',
  }),
  PERMISSION_MISSING: final({
    exitCode: 77,
    httpStatus: 403,
    meaning: 'The credentials of the environment may not do something that the release needs.',
    next: 'Grant the named verb on the named resource to the named user.',
  }),
  OBJECT_HELD: final({
    exitCode: 4,
    httpStatus: 409,
    meaning: 'An object of the plan belongs to another service that Holdfast releases.',
    next: 'Rename the object, or move it to the service that owns it.',
  }),
  OBJECT_OWNED_ELSEWHERE: final({
    exitCode: 4,
    httpStatus: 409,
    meaning:
      'An object of the plan is managed by Helm, Argo CD or Flux, which would undo the change.',
    next: 'Stop the other tool for this object, then repeat the command with --adopt.',
  }),
  IMMUTABLE_CHANGE: final({
    exitCode: 2,
    httpStatus: 422,
    meaning:
      'The plan would change a field that Kubernetes does not allow to change, or not to change back.',
    next: 'Give the object a new name, or leave the named field as it is.',
  }),
  QUOTA_EXCEEDED: final({
    exitCode: 1,
    httpStatus: 409,
    meaning: 'A quota of the namespace does not leave room for the new pods.',
    next: 'Raise the quota or lower the requests, then deploy again.',
  }),
  QUEUE_FULL: final({
    exitCode: 4,
    httpStatus: 429,
    meaning: 'Too many releases already wait for the lock of this service.',
    next: 'Wait for one to finish, or abort one that is no longer wanted.',
  }),
  SUPERSEDED: final({
    exitCode: 4,
    httpStatus: 409,
    meaning:
      'Another release with `queue: supersede` took the place of this one while it waited for the lock.',
    next: 'Nothing was touched; follow the release that is named, or deploy again.',
  }),
  RUN_EXISTS: final({
    exitCode: 4,
    httpStatus: 409,
    meaning: 'A run with this id is there already, with other input.',
    next: 'Choose another release name, or watch the run that exists.',
  }),
  RUN_NOT_FOUND: final({
    exitCode: 3,
    httpStatus: 404,
    meaning: 'There is no run of that name, or the service has none now.',
    next: 'List the runs with `holdfast get deploy`.',
  }),
  MESSAGE_REFUSED: final({
    exitCode: 4,
    httpStatus: 409,
    meaning: 'The run does not take this message now, or the message is for another plan.',
    next: 'Read the current state with `holdfast get deploy`, then send the message that fits it.',
  }),
  PLAN_STALE: final({
    exitCode: 4,
    httpStatus: 409,
    meaning: 'An object was changed by someone else after the plan was made.',
    next: 'The run makes a new plan; approve that one.',
  }),
  IMAGE_UNAVAILABLE: final({
    exitCode: 7,
    httpStatus: 422,
    meaning: 'An image of the new version cannot be pulled.',
    next: 'Push the image or correct its name, then deploy again.',
  }),
  ROLLOUT_FAILED: final({
    exitCode: 7,
    httpStatus: 422,
    meaning: 'Pods of the new version fail and will not become ready.',
    next: 'Read the reason and the last log lines in the evidence, repair the version, deploy again.',
  }),
  ROLLOUT_DEADLINE: final({
    exitCode: 7,
    httpStatus: 504,
    meaning: 'The new version did not become ready within its progress deadline.',
    next: 'Read why the pods are not ready in the evidence; raise the deadline only if they are just slow.',
  }),
  SMOKE_FAILED: final({
    exitCode: 7,
    httpStatus: 422,
    meaning: 'A smoke check of the new version did not get the expected answer or result.',
    next: 'Read the answer in the evidence, repair the version, deploy again.',
  }),
  VERIFICATION_FAILED: final({
    exitCode: 7,
    httpStatus: 422,
    meaning:
      'A check of the verification suite failed under full traffic; the release was put back.',
    next: 'Read the named check and its output in the evidence, repair the version, deploy again.',
  }),
  SHARE_NOT_REACHED: final({
    exitCode: 7,
    httpStatus: 422,
    meaning: 'The traffic did not follow the weight that was set; the release was put back.',
    next: 'Look at the HTTPRoute and its gateway: `kubectl describe httproute`; then deploy again.',
  }),
  BAKE_FAILED: final({
    exitCode: 7,
    httpStatus: 422,
    meaning: 'The new version crossed a threshold while it was watched.',
    next: 'Read the counts in the evidence, repair the version, deploy again.',
  }),
  ANALYSIS_FAILED: final({
    exitCode: 7,
    httpStatus: 422,
    meaning: 'A metric of the analysis judged the new version as worse than allowed.',
    next: 'Read the gates in the result, repair the version, deploy again.',
  }),
  BUDGET_EXCEEDED: final({
    exitCode: 7,
    httpStatus: 422,
    meaning:
      'More requests met the new version, or failed on it, than the exposure budget allows; the release was put back.',
    next: 'Repair the version where requests failed; else lower the weights or raise the budget, then deploy again.',
  }),
  NO_DATA: final({
    exitCode: 7,
    httpStatus: 422,
    meaning: 'A gate had nothing to decide on; no data is not a pass.',
    next: 'Make the service reachable for the prober, or skip the gate with a reason.',
  }),
  APPROVAL_REJECTED: final({
    exitCode: 1,
    httpStatus: 403,
    meaning: 'An approver rejected the plan; nothing was changed.',
    next: 'Read the reason, change the release, deploy again.',
  }),
  APPROVAL_EXPIRED: final({
    exitCode: 6,
    httpStatus: 408,
    meaning: 'Nobody approved the plan before its deadline; nothing was changed.',
    next: 'Deploy again and have it approved in time.',
  }),
  APPROVAL_MISSING: final({
    exitCode: 4,
    httpStatus: 403,
    meaning:
      'A write of a release that has to be approved came without its approvals; nothing was written.',
    next: 'Have the release approved with `holdfast approve`; if its run says that it was, look at who runs workers.',
  }),
  DEADLINE_EXCEEDED: final({
    exitCode: 7,
    httpStatus: 504,
    meaning: 'The release did not finish within its deadline.',
    next: 'Read which stage took the time, then deploy again.',
  }),
  ABORTED: final({
    exitCode: 7,
    httpStatus: 409,
    meaning: 'An operator aborted the release, or the run was cancelled.',
    next: 'Nothing is left to do; deploy again when ready.',
  }),
  FENCED: final({
    exitCode: 4,
    httpStatus: 409,
    meaning:
      'A newer release or a rollback owns the object; this attempt is out of date and changed nothing.',
    next: 'Nothing; the newer owner decides. A run that waits for you because of it ends with `holdfast abort RUN`.',
  }),
  FOREIGN_CHANGE: final({
    exitCode: 4,
    httpStatus: 409,
    meaning: 'Someone else changed a field that the release was about to write.',
    next: 'Settle who owns the field, then deploy again.',
  }),
  COMPENSATION_FAILED: final({
    exitCode: 8,
    httpStatus: 500,
    meaning: 'A step could not be undone within its time; the run waits for an operator.',
    next: 'Remove the cause, then `holdfast retry-compensation`; or `holdfast skip` to leave the object as it is.',
  }),
  ROUTE_NOT_ACCEPTED: passing({
    exitCode: 7,
    httpStatus: 504,
    meaning: 'A gateway has not taken the weights of the route in time.',
    next: 'Read the conditions of the route in the evidence, repair route or gateway, deploy again.',
  }),
  ...infrastructureErrors,
} as const satisfies Record<string, ErrorDefinition>;

export type ErrorCode = keyof typeof errors;

/** An error as it travels in results, evidence and answers. */
export interface CodedError {
  code: ErrorCode;
  /** What happened and what was done about it, with names and values. */
  message: string;
  /** What to run next; the default advice of the code if absent. */
  next?: string;
  /** The field, object or step that the error is about. */
  subject?: string;
}

export const isErrorCode = (value: string): value is ErrorCode => Object.hasOwn(errors, value);

/** Codes that Temporal must not retry. */
export const nonRetryableCodes: readonly ErrorCode[] = (Object.keys(errors) as ErrorCode[]).filter(
  (code) => !errors[code].retryable,
);
