import { deployService } from '../contracts/delivery/deploy-service.ts';
import { manageAccess, ManageAccessInput } from '../contracts/security/manage-access.ts';
import { accessQuestion, changeOf } from '../domain/security/access-change.ts';
import type { PermissionQuestion } from '../domain/security/permission.ts';
import { parseInput } from './input-validation.ts';

type About = Omit<PermissionQuestion, 'action'>;

/**
 * What a policy is asked about a message to a run, from what the run was started for. The run reads
 * its own copy when it decides itself.
 *
 * @throws INVALID_INPUT if the run was started past the facade with what is no input
 */
export const questionAbout = (useCase: string, input: unknown): About => {
  const read = readers[useCase];
  if (read === undefined) throw new Error(`nobody knows what ${useCase} is about`);
  return read(input);
};

const aboutRelease = (input: unknown): About => {
  const { environment, service, requestedBy } = recordOf(input);
  const { actor } = recordOf(requestedBy);
  return {
    environment: String(environment),
    service: String(service),
    ...(typeof actor === 'string' ? { requestedBy: actor } : {}),
  };
};

const aboutAccess = (input: unknown): About =>
  accessQuestion(changeOf(parseInput(ManageAccessInput, input)));

const readers: Readonly<Record<string, (input: unknown) => About>> = {
  [deployService.workflow]: aboutRelease,
  [manageAccess.workflow]: aboutAccess,
};

const recordOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
