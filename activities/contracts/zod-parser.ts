import { catalogue } from '../../contracts/catalogue.ts';
import type { Contract } from '../../contracts/shared/define-contract.ts';
import { describeProblems, inputProblems } from '../../contracts/shared/input-problems.ts';
import { codedFailure } from '../coded-failure.ts';
import type { Contracts, TimeoutProfile } from './port.ts';

/** Validates the input of a run by its row in the catalogue. */
export const createContracts = (deps: { timeoutProfile: TimeoutProfile }): Contracts => {
  const contracts: ReadonlyMap<string, Contract> = new Map(catalogue.map((row) => [row.id, row]));
  return {
    parse({ contract: id, value }) {
      const contract = contracts.get(id);
      if (contract === undefined) return Promise.reject(unknownContract(id));
      const outcome = contract.input.safeParse(value);
      if (outcome.success) {
        return Promise.resolve({ value: outcome.data, timeoutProfile: deps.timeoutProfile });
      }
      const problems = inputProblems(outcome.error);
      return Promise.reject(
        codedFailure({
          code: 'INVALID_INPUT',
          message: `The input of ${contract.workflow} is not valid, nothing was touched: ${describeProblems(problems)}`,
          subject: problems.map(({ field }) => field).join(', '),
        }),
      );
    },
  };
};

const unknownContract = (id: string): Error =>
  codedFailure({
    code: 'INVALID_INPUT',
    message: `This worker knows no use case ${id}; nothing was touched.`,
    next: 'Run a worker of the version that the caller was built from.',
    subject: id,
  });
