import { codedFailure } from '../coded-failure.ts';

const runIdPattern = /^[0-9a-f-]{1,64}$/;

/** The key of a release record. @throws INVALID_INPUT unless it is the id of a run */
export const requireRunId = (runId: string): void => {
  if (runIdPattern.test(runId)) return;
  throw codedFailure({
    code: 'INVALID_INPUT',
    message: `${JSON.stringify(runId)} is not the id of a run; nothing was recorded.`,
    subject: 'runId',
  });
};
